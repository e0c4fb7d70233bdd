-- Does every balance agree with the payments behind it? Each account began with 1000.00.
SELECT a.id, a.balance, 1000.00 + sum(l.delta) AS by_ledger, a.balance = 1000.00 + sum(l.delta) AS agrees, count(*) AS payments
FROM accounts a JOIN ledger l ON l.account_id = a.id
GROUP BY a.id, a.balance
ORDER BY a.id
