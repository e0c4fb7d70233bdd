-- Which airline in which weather? Average delay in minutes at departure.
WITH departures AS (
  SELECT a.name AS airline, f.dep_delay,
         w.visib < 1 AS fog, w.precip >= 0.10 AS wet
  FROM flights f
  JOIN weather w ON f.origin = w.origin AND f.time_hour = w.time_hour
  JOIN airlines a USING (carrier)
)
SELECT airline,
       round(avg(dep_delay) FILTER (WHERE NOT fog AND NOT wet), 1) AS fair,
       bar(avg(dep_delay) FILTER (WHERE NOT fog AND NOT wet), 0, 60, 15) AS "fair (chart)",
       round(avg(dep_delay) FILTER (WHERE wet), 1) AS heavy_rain,
       bar(avg(dep_delay) FILTER (WHERE wet), 0, 60, 15) AS "heavy rain (chart)"
FROM departures
GROUP BY airline
HAVING count(*) FILTER (WHERE wet) >= 50
ORDER BY heavy_rain DESC
