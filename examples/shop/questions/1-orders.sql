-- What is each order worth?
SELECT order_id, count(*) AS lines, sum(qty * price) AS total, bar(sum(qty * price)::DOUBLE, 0, 350, 30) AS chart
FROM order_lines
GROUP BY order_id
ORDER BY order_id
