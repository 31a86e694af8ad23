-- SPDX-License-Identifier: Apache-2.0
-- Hosts where something still asks the metadata service without a token.
SELECT account, region, instance_id, requests_v1
FROM posture
WHERE dt = (SELECT max(dt) FROM posture) AND requests_v1 > 0
ORDER BY requests_v1 DESC, instance_id
