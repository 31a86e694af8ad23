-- SPDX-License-Identifier: Apache-2.0
-- Every envelope in the bucket, one per row. Replace fleet-bucket/prefix and the lists of accounts and regions.
-- Partitions are computed from the query, so nothing has to be crawled or repaired when a new day begins.
CREATE EXTERNAL TABLE hostward_reports (
  report string,
  proof string
)
PARTITIONED BY (account string, region string, dt string, hour string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'false')
LOCATION 's3://fleet-bucket/prefix/posture/v1/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'enum',
  'projection.account.values' = '111111111111,222222222222',
  'projection.region.type' = 'enum',
  'projection.region.values' = 'eu-central-1,us-east-1',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-30DAYS,NOW',
  'projection.hour.type' = 'integer',
  'projection.hour.range' = '0,23',
  'projection.hour.digits' = '2',
  'storage.location.template' = 's3://fleet-bucket/prefix/posture/v1/account=${account}/region=${region}/dt=${dt}/hour=${hour}/'
);
