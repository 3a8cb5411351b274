// Liquidation cascades, the latest first, each with how many came before it on its pair; none is a number, too.
//
// $since       time from which cascades count
// $severities  those that are asked for: ["high", "critical"]
// $within      how long before a cascade its predecessors count: duration("PT1H")
// $limit       most rows: 100
MATCH (cascade:CascadeEvent)-[:ON_PAIR]->(pair:Pair)
WHERE cascade.timestamp >= $since
  AND cascade.severity IN $severities
OPTIONAL MATCH (earlier:CascadeEvent)-[:ON_PAIR]->(pair)
WHERE earlier.timestamp < cascade.timestamp
  AND earlier.timestamp >= cascade.timestamp - $within
RETURN pair.symbol AS pair,
       cascade.id AS cascade,
       cascade.timestamp AS happened_at,
       cascade.severity AS severity,
       cascade.total_liquidation_value AS liquidation_value,
       count(earlier) AS preceding_cascades
ORDER BY happened_at DESC, cascade
LIMIT $limit
