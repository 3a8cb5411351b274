// Writes: the last cascade on its pair before this one preceded it. To say it again changes nothing; a first one has no edge.
//
// $event_id  id of the later cascade
// $within    how long before it the earlier one may be: duration("PT1H")
MATCH (later:CascadeEvent {id: $event_id})-[:ON_PAIR]->(:Pair)<-[:ON_PAIR]-(earlier:CascadeEvent)
WHERE earlier.timestamp < later.timestamp
  AND earlier.timestamp >= later.timestamp - $within
WITH later, earlier
ORDER BY earlier.timestamp DESC, earlier.id
LIMIT 1
MERGE (earlier)-[link:PRECEDED]->(later)
  ON CREATE SET link.id = earlier.id + '>' + later.id, link.created_at = datetime()
RETURN link.id AS link
