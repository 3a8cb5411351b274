// Large transfers to an exchange, each with the price drops that followed it on one pair.
//
// $pair     unified symbol: "BTC/USDT"; transfers of its base asset are looked at
// $since    time from which transfers count
// $amount   least amount of a transfer, in units of the base asset: 100
// $within   longest time from a transfer to a drop: duration("PT1H")
// $drop     least fall of the price, as a share of it: 0.02 is 2 %
// $limit    most rows: 20
MATCH (pair:Pair {symbol: $pair})-[:BASE_ASSET]->(asset:Asset)
MATCH (whale:Wallet)-[:TRANSFERRED]->(transfer:WhaleTransfer)-[:TO]->(exchange:Exchange)
WHERE transfer.timestamp >= $since
  AND transfer.amount >= $amount
  AND transfer.asset = asset.symbol
MATCH (move:PriceMovement)-[:ON_PAIR]->(pair)
WHERE move.timestamp > transfer.timestamp
  AND move.timestamp <= transfer.timestamp + $within
  AND move.change_percent <= -$drop
RETURN whale.address AS whale,
       exchange.name AS exchange,
       transfer.id AS transfer,
       transfer.amount AS amount,
       transfer.timestamp AS transferred_at,
       move.change_percent AS price_change,
       move.timestamp AS moved_at
ORDER BY transferred_at DESC, moved_at
LIMIT $limit
