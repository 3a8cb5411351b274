// What led to a cascade: each chain of up to five causes that ends with it, the longest first.
//
// $event_id  id of the cascade
// $limit     most chains: 50
MATCH chain = (trigger)-[:TRIGGERED|PRECEDED*1..5]->(effect:CascadeEvent {id: $event_id})
RETURN [event IN nodes(chain) | {
         kind: labels(event)[0],
         id: event.id,
         timestamp: event.timestamp
       }] AS events,
       [link IN relationships(chain) | type(link)] AS links
ORDER BY size(links) DESC, trigger.timestamp
LIMIT $limit
