-- SPDX-License-Identifier: Apache-2.0
-- Which versions report, and how many hosts have each.
SELECT agent_version, count(*) AS hosts
FROM posture
WHERE dt = (SELECT max(dt) FROM posture)
GROUP BY agent_version
ORDER BY hosts DESC, agent_version
