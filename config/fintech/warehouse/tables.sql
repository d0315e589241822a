-- Where the results of the four processors lie in ClickHouse. Every statement may be run again; millrace runs them at each start
-- (connection setting `setup`), clickhouse-client --multiquery does too.
--
-- NAME_rows   what arrived: each row says which it is (millrace_run, millrace_lane, millrace_epoch, millrace_row), and the engine
--             keeps one row of what is equal there. Repeated inserts show in this table until they are merged: read the view.
-- NAME        every event exactly once, without runs that were done again.
-- *_current   the newest row of each merchant or customer. It is kept by a materialized view: of equal versions one stays, so
--             repeated inserts change nothing.
--
-- Event time is what the bank says (detectionTime) or when the epoch was (eventTime); loadedTime is when the row came here, by this
-- server's clock. Dashboards choose. Partitions are months: a day of the demo lasts ten seconds.

-- What millrace itself keeps: docs/decisions/clickhouse.md.
CREATE TABLE IF NOT EXISTS millrace_epochs (pipeline String, sink String, lane Int32, epoch Int64, digest String)
ENGINE = ReplacingMergeTree(epoch) ORDER BY (pipeline, sink, lane);

CREATE TABLE IF NOT EXISTS millrace_retired_runs (run String) ENGINE = ReplacingMergeTree ORDER BY run;

-- Alerts --------------------------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS fraud_detection_alerts_rows (
  transactionId  String,
  customerId     String,
  fraudTypes     Array(LowCardinality(String)),
  riskScore      Float64,
  detectionTime  DateTime64(6, 'UTC'),
  alertType      LowCardinality(String),
  fraudDetails   String,
  isFraudulent   Bool,
  severity       LowCardinality(String),
  recommendation LowCardinality(String),
  millrace_run   LowCardinality(String),
  millrace_lane  UInt32,
  millrace_epoch UInt64,
  millrace_row   UInt32,
  loadedTime     DateTime64(3, 'UTC') DEFAULT now64(3),
  date           Date MATERIALIZED toDate(detectionTime),
  hour           UInt8 MATERIALIZED toHour(detectionTime),
  INDEX severity_set severity TYPE set(8),
  INDEX fraudulent_set isFraudulent TYPE set(2),
  INDEX alert_type_set alertType TYPE set(8)
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(date)
ORDER BY (customerId, detectionTime, millrace_run, millrace_lane, millrace_epoch, millrace_row);

CREATE OR REPLACE VIEW fraud_detection_alerts AS
SELECT transactionId, customerId, fraudTypes, riskScore, detectionTime, alertType, fraudDetails, isFraudulent, severity,
  recommendation, date, hour, loadedTime
FROM fraud_detection_alerts_rows FINAL
WHERE millrace_run NOT IN (SELECT run FROM millrace_retired_runs);

-- Merchants -----------------------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS merchant_performance_analytics_rows (
  merchantId       String,
  eventType        LowCardinality(String),
  transactionCount UInt32,
  totalAmount      Decimal(18, 2),
  averageAmount    Decimal(18, 2),
  eventTime        DateTime64(6, 'UTC'),
  performanceLevel LowCardinality(String),
  riskLevel        LowCardinality(String),
  merchantName     Nullable(String),
  businessType     LowCardinality(Nullable(String)),
  mccCode          LowCardinality(Nullable(String)),
  country          LowCardinality(String),
  isActive         Bool,
  millrace_run     LowCardinality(String),
  millrace_lane    UInt32,
  millrace_epoch   UInt64,
  millrace_row     UInt32,
  loadedTime       DateTime64(3, 'UTC') DEFAULT now64(3),
  date             Date MATERIALIZED toDate(eventTime),
  hour             UInt8 MATERIALIZED toHour(eventTime),
  INDEX country_set country TYPE set(300),
  INDEX business_type_set businessType TYPE set(100),
  INDEX performance_set performanceLevel TYPE set(8),
  INDEX risk_set riskLevel TYPE set(8)
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(date)
ORDER BY (merchantId, eventTime, millrace_run, millrace_lane, millrace_epoch, millrace_row);

CREATE OR REPLACE VIEW merchant_performance_analytics AS
SELECT merchantId, eventType, transactionCount, totalAmount, averageAmount, eventTime, performanceLevel, riskLevel,
  ifNull(merchantName, 'UNKNOWN') AS merchantName, ifNull(businessType, 'UNKNOWN') AS businessType, ifNull(mccCode, '') AS mccCode,
  country, isActive, date, hour, loadedTime
FROM merchant_performance_analytics_rows FINAL
WHERE millrace_run NOT IN (SELECT run FROM millrace_retired_runs);

CREATE TABLE IF NOT EXISTS merchant_performance_current_rows (
  merchantId       String,
  transactionCount UInt32,
  totalAmount      Decimal(18, 2),
  averageAmount    Decimal(18, 2),
  eventTime        DateTime64(6, 'UTC'),
  performanceLevel LowCardinality(String),
  riskLevel        LowCardinality(String),
  merchantName     Nullable(String),
  businessType     LowCardinality(Nullable(String)),
  mccCode          LowCardinality(Nullable(String)),
  country          LowCardinality(String),
  isActive         Bool,
  millrace_run     LowCardinality(String),
  version          UInt128
) ENGINE = ReplacingMergeTree(version) ORDER BY (merchantId, millrace_run);

CREATE MATERIALIZED VIEW IF NOT EXISTS merchant_performance_current_feed TO merchant_performance_current_rows AS
SELECT merchantId, transactionCount, totalAmount, averageAmount, eventTime, performanceLevel, riskLevel, merchantName, businessType,
  mccCode, country, isActive, millrace_run,
  bitShiftLeft(toUInt128(toUnixTimestamp64Micro(eventTime)), 64) + bitShiftLeft(toUInt128(millrace_epoch), 32) + millrace_row AS version
FROM merchant_performance_analytics_rows;

CREATE OR REPLACE VIEW merchant_performance_current AS
SELECT merchantId, transactionCount, totalAmount, averageAmount, eventTime, performanceLevel, riskLevel,
  ifNull(merchantName, 'UNKNOWN') AS merchantName, ifNull(businessType, 'UNKNOWN') AS businessType, ifNull(mccCode, '') AS mccCode,
  country, isActive
FROM merchant_performance_current_rows FINAL
WHERE millrace_run NOT IN (SELECT run FROM millrace_retired_runs)
ORDER BY version DESC LIMIT 1 BY merchantId;

-- Customers -----------------------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS customer_lifecycle_analytics_rows (
  customerId          String,
  eventType           LowCardinality(String),
  currentTier         LowCardinality(String),
  currentKycStatus    LowCardinality(String),
  eventTime           DateTime64(6, 'UTC'),
  tierChangeCount     UInt32,
  isUpgrade           Bool,
  isDowngrade         Bool,
  kycCompleted        Bool,
  riskScore           Float64,
  timeSinceLastUpdate UInt64,
  previousTier        LowCardinality(Nullable(String)),
  previousKycStatus   LowCardinality(Nullable(String)),
  riskScoreChange     Float64,
  millrace_run        LowCardinality(String),
  millrace_lane       UInt32,
  millrace_epoch      UInt64,
  millrace_row        UInt32,
  loadedTime          DateTime64(3, 'UTC') DEFAULT now64(3),
  date                Date MATERIALIZED toDate(eventTime),
  hour                UInt8 MATERIALIZED toHour(eventTime),
  INDEX tier_set currentTier TYPE set(8),
  INDEX kyc_set currentKycStatus TYPE set(8),
  INDEX event_set eventType TYPE set(16)
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(date)
ORDER BY (customerId, eventTime, millrace_run, millrace_lane, millrace_epoch, millrace_row);

CREATE OR REPLACE VIEW customer_lifecycle_analytics AS
SELECT customerId, eventType, currentTier, currentKycStatus, eventTime, tierChangeCount, isUpgrade, isDowngrade, kycCompleted,
  riskScore, timeSinceLastUpdate, ifNull(previousTier, '') AS previousTier, ifNull(previousKycStatus, '') AS previousKycStatus,
  riskScoreChange, date, hour, loadedTime
FROM customer_lifecycle_analytics_rows FINAL
WHERE millrace_run NOT IN (SELECT run FROM millrace_retired_runs);

CREATE TABLE IF NOT EXISTS customer_lifecycle_current_rows (
  customerId       String,
  currentTier      LowCardinality(String),
  currentKycStatus LowCardinality(String),
  eventTime        DateTime64(6, 'UTC'),
  tierChangeCount  UInt32,
  riskScore        Float64,
  millrace_run     LowCardinality(String),
  version          UInt128
) ENGINE = ReplacingMergeTree(version) ORDER BY (customerId, millrace_run);

CREATE MATERIALIZED VIEW IF NOT EXISTS customer_lifecycle_current_feed TO customer_lifecycle_current_rows AS
SELECT customerId, currentTier, currentKycStatus, eventTime, tierChangeCount, riskScore, millrace_run,
  bitShiftLeft(toUInt128(toUnixTimestamp64Micro(eventTime)), 64) + bitShiftLeft(toUInt128(millrace_epoch), 32) + millrace_row AS version
FROM customer_lifecycle_analytics_rows;

CREATE OR REPLACE VIEW customer_lifecycle_current AS
SELECT customerId, currentTier, currentKycStatus, eventTime, tierChangeCount, riskScore
FROM customer_lifecycle_current_rows FINAL
WHERE millrace_run NOT IN (SELECT run FROM millrace_retired_runs)
ORDER BY version DESC LIMIT 1 BY customerId;

-- Windows of transactions -----------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS customer_transaction_metrics_rows (
  customerId               String,
  eventTime                DateTime64(6, 'UTC'),
  totalAmount              Decimal(18, 2),
  transactionCount         UInt32,
  averageAmount            Decimal(18, 2),
  minAmount                Decimal(18, 2),
  maxAmount                Decimal(18, 2),
  preferredTransactionType LowCardinality(String),
  preferredLocation        LowCardinality(String),
  preferredDevice          String,
  transactionVelocity      Float64,
  riskScore                Float64,
  transactionTypeCounts    Map(String, UInt32),
  locationCounts           Map(String, UInt32),
  deviceCounts             Map(String, UInt32),
  recentTransactionCount   UInt32,
  lastTransactionAmount    Decimal(18, 2),
  lastTransactionType      LowCardinality(String),
  millrace_run             LowCardinality(String),
  millrace_lane            UInt32,
  millrace_epoch           UInt64,
  millrace_row             UInt32,
  loadedTime               DateTime64(3, 'UTC') DEFAULT now64(3),
  date                     Date MATERIALIZED toDate(eventTime),
  hour                     UInt8 MATERIALIZED toHour(eventTime),
  INDEX type_set preferredTransactionType TYPE set(16),
  INDEX location_set preferredLocation TYPE set(300),
  INDEX device_bloom preferredDevice TYPE bloom_filter
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(date)
ORDER BY (customerId, eventTime, millrace_run, millrace_lane, millrace_epoch, millrace_row);

CREATE OR REPLACE VIEW customer_transaction_metrics AS
SELECT customerId, eventTime, totalAmount, transactionCount, averageAmount, minAmount, maxAmount, preferredTransactionType,
  preferredLocation, preferredDevice, transactionVelocity, riskScore, transactionTypeCounts, locationCounts, deviceCounts,
  recentTransactionCount, lastTransactionAmount, lastTransactionType, date, hour, loadedTime
FROM customer_transaction_metrics_rows FINAL
WHERE millrace_run NOT IN (SELECT run FROM millrace_retired_runs);
