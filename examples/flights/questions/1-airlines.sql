-- Which airline is late? Share of departures more than 15 minutes after their time.
SELECT a.name AS airline,
       count(*) AS flights,
       round(avg(f.dep_delay), 1) AS minutes,
       round(100.0 * count(*) FILTER (WHERE f.dep_delay > 15) / count(f.dep_delay), 1) AS late_percent,
       bar(count(*) FILTER (WHERE f.dep_delay > 15) / count(f.dep_delay)::DOUBLE, 0, 0.4, 30) AS late
FROM flights f JOIN airlines a USING (carrier)
GROUP BY a.name
HAVING count(*) >= 500
ORDER BY late_percent DESC
