-- SPDX-License-Identifier: Apache-2.0
-- What fails now and passed on a day of the week before.
SELECT now.account, now.region, now.instance_id, now.profile, now.number, max(before.dt) AS passed_on
FROM findings now
JOIN findings before ON before.account = now.account AND before.region = now.region
  AND before.instance_id = now.instance_id AND before.profile = now.profile AND before.number = now.number
WHERE now.dt = (SELECT max(dt) FROM posture) AND now.verdict = 'fail' AND before.verdict = 'pass'
  AND before.dt < now.dt AND cast(before.dt AS date) >= cast(now.dt AS date) - INTERVAL '7' DAY
GROUP BY now.account, now.region, now.instance_id, now.profile, now.number
ORDER BY now.instance_id, now.profile, now.number
