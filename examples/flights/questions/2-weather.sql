-- In which weather?
WITH departures AS (
  SELECT f.dep_delay,
         CASE WHEN w.visib < 1 THEN '1 fog, below a mile of sight'
              WHEN w.precip >= 0.10 THEN '2 heavy rain or snow'
              WHEN w.precip > 0 THEN '3 light rain or snow'
              WHEN w.wind_speed >= 25 THEN '4 strong wind'
              ELSE '5 fair' END AS weather
  FROM flights f JOIN weather w ON f.origin = w.origin AND f.time_hour = w.time_hour
)
SELECT substr(weather, 3) AS weather,
       count(*) AS flights,
       round(100.0 * count(*) FILTER (WHERE dep_delay IS NULL) / count(*), 1) AS cancelled_percent,
       round(avg(dep_delay), 1) AS minutes,
       bar(avg(dep_delay), 0, 45, 30) AS average_delay
FROM departures
GROUP BY departures.weather
ORDER BY departures.weather
