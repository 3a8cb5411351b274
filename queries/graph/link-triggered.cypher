// Writes: one event triggered another. To say it again changes nothing; an effect before its cause makes no edge.
//
// $cause_id   id of a whale transfer, price movement or cascade
// $effect_id  id of a price movement or cascade
MATCH (cause:WhaleTransfer|PriceMovement|CascadeEvent {id: $cause_id})
MATCH (effect:PriceMovement|CascadeEvent {id: $effect_id})
WHERE cause.timestamp <= effect.timestamp
  AND cause <> effect
MERGE (cause)-[link:TRIGGERED]->(effect)
  ON CREATE SET link.id = cause.id + '>' + effect.id, link.created_at = datetime()
RETURN link.id AS link
