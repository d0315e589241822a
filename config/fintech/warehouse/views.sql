-- The questions of the dashboards, as views. "Latest day" is the greatest date that the rows themselves have, never the server's:
-- the bank's time is simulated. Merchants and customers are counted once, by their newest row; money that rows carry as running totals
-- is never added up over the rows of one merchant. A percentage is of what the view lists.

-- Overviews of three subjects -----------------------------------------------------------------------------------------
CREATE OR REPLACE VIEW fraud_security_dashboard AS
SELECT date,
  count() AS alerts,
  uniqExact(customerId) AS customers,
  avg(riskScore) AS mean_risk_score,
  countIf(severity = 'CRITICAL') AS critical,
  countIf(severity = 'HIGH') AS high,
  countIf(severity = 'MEDIUM') AS medium,
  countIf(severity = 'LOW') AS low
FROM fraud_detection_alerts
WHERE date = (SELECT max(date) FROM fraud_detection_alerts)
GROUP BY date;

CREATE OR REPLACE VIEW merchant_performance_dashboard AS
SELECT country, businessType,
  count() AS merchants,
  sum(totalAmount) AS revenue,
  sum(transactionCount) AS transactions,
  toFloat64(revenue) / transactions AS mean_amount,
  countIf(performanceLevel = 'HIGH_PERFORMANCE') AS high_performance_merchants,
  100 * high_performance_merchants / merchants AS high_performance_percentage
FROM merchant_performance_current
GROUP BY country, businessType
ORDER BY revenue DESC, country, businessType;

CREATE OR REPLACE VIEW customer_analytics_dashboard AS
SELECT currentTier, currentKycStatus,
  count() AS customers,
  avg(riskScore) AS mean_risk_score,
  sum(tierChangeCount) AS tier_changes,
  sum(day.upgrades) AS upgrades,
  sum(day.downgrades) AS downgrades,
  sum(day.kyc_completions) AS kyc_completions,
  100 * customers / (SELECT count() FROM customer_lifecycle_current) AS percentage
FROM customer_lifecycle_current AS now
LEFT JOIN (
  SELECT customerId, countIf(isUpgrade) AS upgrades, countIf(isDowngrade) AS downgrades, countIf(kycCompleted) AS kyc_completions
  FROM customer_lifecycle_analytics
  WHERE date = (SELECT max(date) FROM customer_lifecycle_analytics)
  GROUP BY customerId
) AS day ON day.customerId = now.customerId
GROUP BY currentTier, currentKycStatus
ORDER BY customers DESC, currentTier, currentKycStatus;

-- Alerts --------------------------------------------------------------------------------------------------------------
CREATE OR REPLACE VIEW fraud_alerts_overview AS
SELECT date,
  count() AS alerts,
  uniqExact(customerId) AS customers,
  uniqExact(transactionId) AS transactions,
  avg(riskScore) AS mean_risk_score,
  max(riskScore) AS max_risk_score,
  countIf(severity = 'CRITICAL') AS critical,
  countIf(severity = 'HIGH') AS high,
  countIf(severity = 'MEDIUM') AS medium,
  countIf(severity = 'LOW') AS low
FROM fraud_detection_alerts
WHERE date = (SELECT max(date) FROM fraud_detection_alerts)
GROUP BY date;

CREATE OR REPLACE VIEW fraud_alerts_by_severity AS
SELECT severity,
  count() AS alerts,
  avg(riskScore) AS mean_risk_score,
  uniqExact(customerId) AS customers,
  uniqExact(transactionId) AS transactions,
  100 * alerts / sum(alerts) OVER () AS percentage
FROM fraud_detection_alerts
WHERE date = (SELECT max(date) FROM fraud_detection_alerts)
GROUP BY severity
ORDER BY alerts DESC, severity;

-- Every type of an alert, so that the percentages may add up to more than a hundred.
CREATE OR REPLACE VIEW fraud_types_distribution AS
SELECT fraudType,
  count() AS alerts,
  avg(riskScore) AS mean_risk_score,
  uniqExact(customerId) AS customers,
  100 * alerts / (
    SELECT count() FROM fraud_detection_alerts WHERE date = (SELECT max(date) FROM fraud_detection_alerts)
  ) AS percentage
FROM fraud_detection_alerts
ARRAY JOIN fraudTypes AS fraudType
WHERE date = (SELECT max(date) FROM fraud_detection_alerts)
GROUP BY fraudType
ORDER BY alerts DESC, fraudType;

CREATE OR REPLACE VIEW high_risk_transactions AS
SELECT transactionId, customerId, fraudTypes, riskScore, severity, recommendation, detectionTime
FROM fraud_detection_alerts
WHERE date = (SELECT max(date) FROM fraud_detection_alerts) AND severity IN ('CRITICAL', 'HIGH')
ORDER BY riskScore DESC, detectionTime DESC, transactionId
LIMIT 50;

CREATE OR REPLACE VIEW fraud_alerts_timeline AS
SELECT toStartOfHour(detectionTime) AS time,
  count() AS alerts,
  avg(riskScore) AS mean_risk_score,
  uniqExact(customerId) AS customers,
  countIf(severity = 'CRITICAL') AS critical
FROM fraud_detection_alerts
WHERE date >= (SELECT max(date) FROM fraud_detection_alerts) - 1
GROUP BY time
ORDER BY time;

CREATE OR REPLACE VIEW top_affected_customers AS
SELECT customerId,
  count() AS alerts,
  avg(riskScore) AS mean_risk_score,
  max(riskScore) AS max_risk_score,
  uniqExact(transactionId) AS transactions,
  arraySort(groupUniqArray(toString(severity))) AS severities
FROM fraud_detection_alerts
WHERE date = (SELECT max(date) FROM fraud_detection_alerts)
GROUP BY customerId
ORDER BY alerts DESC, max_risk_score DESC, customerId
LIMIT 20;

-- Merchants -----------------------------------------------------------------------------------------------------------
CREATE OR REPLACE VIEW merchant_performance_overview AS
SELECT count() AS merchants,
  sum(totalAmount) AS revenue,
  sum(transactionCount) AS transactions,
  toFloat64(revenue) / transactions AS mean_amount,
  countIf(performanceLevel = 'HIGH_PERFORMANCE') AS high_performance_merchants,
  100 * high_performance_merchants / merchants AS high_performance_percentage
FROM merchant_performance_current
HAVING merchants > 0;

CREATE OR REPLACE VIEW top_performing_merchants AS
SELECT merchantId, merchantName, businessType, country, totalAmount AS revenue, transactionCount AS transactions, averageAmount,
  performanceLevel, riskLevel
FROM merchant_performance_current
ORDER BY revenue DESC, merchantId
LIMIT 20;

CREATE OR REPLACE VIEW merchant_performance_by_country AS
SELECT country,
  count() AS merchants,
  sum(totalAmount) AS revenue,
  sum(transactionCount) AS transactions,
  toFloat64(revenue) / transactions AS mean_amount,
  countIf(performanceLevel = 'HIGH_PERFORMANCE') AS high_performance_merchants,
  100 * high_performance_merchants / merchants AS high_performance_percentage
FROM merchant_performance_current
GROUP BY country
ORDER BY revenue DESC, country;

CREATE OR REPLACE VIEW business_type_performance AS
SELECT businessType,
  count() AS merchants,
  sum(totalAmount) AS revenue,
  sum(transactionCount) AS transactions,
  toFloat64(revenue) / transactions AS mean_amount,
  countIf(performanceLevel = 'HIGH_PERFORMANCE') AS high_performance_merchants,
  100 * high_performance_merchants / merchants AS high_performance_percentage
FROM merchant_performance_current
GROUP BY businessType
ORDER BY revenue DESC, businessType;

CREATE OR REPLACE VIEW merchant_risk_analysis AS
SELECT riskLevel,
  count() AS merchants,
  toFloat64(sum(totalAmount)) / merchants AS mean_revenue,
  sum(transactionCount) / merchants AS mean_transactions,
  toFloat64(sum(totalAmount)) / sum(transactionCount) AS mean_amount,
  100 * merchants / sum(merchants) OVER () AS percentage
FROM merchant_performance_current
GROUP BY riskLevel
ORDER BY merchants DESC, riskLevel;

CREATE OR REPLACE VIEW mcc_code_performance AS
SELECT mccCode, businessType,
  count() AS merchants,
  sum(totalAmount) AS revenue,
  sum(transactionCount) AS transactions,
  toFloat64(revenue) / transactions AS mean_amount
FROM merchant_performance_current
GROUP BY mccCode, businessType
ORDER BY revenue DESC, mccCode, businessType
LIMIT 20;

-- Customers -----------------------------------------------------------------------------------------------------------
CREATE OR REPLACE VIEW customer_analytics_overview AS
SELECT (SELECT count() FROM customer_lifecycle_current) AS customers,
  (SELECT avg(riskScore) FROM customer_lifecycle_current) AS mean_risk_score,
  countIf(isUpgrade OR isDowngrade) AS tier_changes,
  countIf(isUpgrade) AS upgrades,
  countIf(isDowngrade) AS downgrades,
  countIf(kycCompleted) AS kyc_completions
FROM customer_lifecycle_analytics
WHERE date = (SELECT max(date) FROM customer_lifecycle_analytics)
HAVING count() > 0;

CREATE OR REPLACE VIEW customer_tier_distribution AS
SELECT currentTier,
  count() AS customers,
  avg(riskScore) AS mean_risk_score,
  sum(tierChangeCount) AS tier_changes,
  sum(day.upgrades) AS upgrades,
  sum(day.downgrades) AS downgrades,
  100 * customers / (SELECT count() FROM customer_lifecycle_current) AS percentage
FROM customer_lifecycle_current AS now
LEFT JOIN (
  SELECT customerId, countIf(isUpgrade) AS upgrades, countIf(isDowngrade) AS downgrades
  FROM customer_lifecycle_analytics
  WHERE date = (SELECT max(date) FROM customer_lifecycle_analytics)
  GROUP BY customerId
) AS day ON day.customerId = now.customerId
GROUP BY currentTier
ORDER BY customers DESC, currentTier;

CREATE OR REPLACE VIEW kyc_status_overview AS
SELECT currentKycStatus,
  count() AS customers,
  avg(riskScore) AS mean_risk_score,
  100 * customers / sum(customers) OVER () AS percentage
FROM customer_lifecycle_current
GROUP BY currentKycStatus
ORDER BY customers DESC, currentKycStatus;

CREATE OR REPLACE VIEW customer_lifecycle_events AS
SELECT eventType, currentTier, previousTier,
  count() AS events,
  avg(riskScore) AS mean_risk_score,
  uniqExact(customerId) AS customers
FROM customer_lifecycle_analytics
WHERE date = (SELECT max(date) FROM customer_lifecycle_analytics) AND (isUpgrade OR isDowngrade)
GROUP BY eventType, currentTier, previousTier
ORDER BY events DESC, eventType, currentTier, previousTier;

CREATE OR REPLACE VIEW customer_risk_distribution AS
SELECT currentTier, currentKycStatus,
  count() AS customers,
  avg(riskScore) AS mean_risk_score,
  min(riskScore) AS min_risk_score,
  max(riskScore) AS max_risk_score
FROM customer_lifecycle_current
GROUP BY currentTier, currentKycStatus
ORDER BY mean_risk_score DESC, currentTier, currentKycStatus;

-- Transactions --------------------------------------------------------------------------------------------------------
CREATE OR REPLACE VIEW transaction_patterns AS
SELECT preferredTransactionType,
  count() AS windows,
  sum(transactionCount) AS transactions,
  sum(totalAmount) AS amount,
  toFloat64(amount) / transactions AS mean_amount,
  uniqExact(customerId) AS customers,
  avg(riskScore) AS mean_risk_score
FROM customer_transaction_metrics
WHERE date = (SELECT max(date) FROM customer_transaction_metrics)
GROUP BY preferredTransactionType
ORDER BY transactions DESC, preferredTransactionType;

-- By every country of a window, not only its most frequent one.
CREATE OR REPLACE VIEW customer_geographic_distribution AS
SELECT location,
  count() AS windows,
  sum(in_location) AS transactions,
  uniqExact(customerId) AS customers,
  avg(riskScore) AS mean_risk_score
FROM customer_transaction_metrics
ARRAY JOIN mapKeys(locationCounts) AS location, mapValues(locationCounts) AS in_location
WHERE date = (SELECT max(date) FROM customer_transaction_metrics)
GROUP BY location
ORDER BY transactions DESC, location
LIMIT 20;

CREATE OR REPLACE VIEW device_usage_patterns AS
SELECT device,
  count() AS windows,
  sum(with_device) AS transactions,
  uniqExact(customerId) AS customers,
  avg(riskScore) AS mean_risk_score
FROM customer_transaction_metrics
ARRAY JOIN mapKeys(deviceCounts) AS device, mapValues(deviceCounts) AS with_device
WHERE date = (SELECT max(date) FROM customer_transaction_metrics)
GROUP BY device
ORDER BY transactions DESC, device
LIMIT 20;

-- The newest hour of the rows -------------------------------------------------------------------------------------------
CREATE OR REPLACE VIEW realtime_fraud_monitoring AS
SELECT toStartOfHour(detectionTime) AS time,
  count() AS alerts,
  avg(riskScore) AS mean_risk_score,
  uniqExact(customerId) AS customers,
  countIf(severity = 'CRITICAL') AS critical
FROM fraud_detection_alerts
WHERE toStartOfHour(detectionTime) = (SELECT toStartOfHour(max(detectionTime)) FROM fraud_detection_alerts)
GROUP BY time;

-- What merchants had more at its end than before it.
CREATE OR REPLACE VIEW realtime_merchant_monitoring AS
SELECT max(newest) AS time,
  countIf(transactions > 0) AS merchants,
  sum(total - total_before) AS revenue,
  sum(rows_total - rows_before) AS transactions_in_hour,
  if(transactions_in_hour = 0, NULL, toFloat64(revenue) / transactions_in_hour) AS mean_amount
FROM (
  SELECT merchantId,
    (SELECT toStartOfHour(max(eventTime)) FROM merchant_performance_analytics) AS newest,
    max(totalAmount) AS total,
    max(transactionCount) AS rows_total,
    maxIf(totalAmount, toStartOfHour(eventTime) < newest) AS total_before,
    maxIf(transactionCount, toStartOfHour(eventTime) < newest) AS rows_before,
    rows_total - rows_before AS transactions
  FROM merchant_performance_analytics
  GROUP BY merchantId
)
HAVING count() > 0;

CREATE OR REPLACE VIEW realtime_customer_monitoring AS
SELECT toStartOfHour(eventTime) AS time,
  uniqExact(customerId) AS customers,
  avg(riskScore) AS mean_risk_score,
  countIf(isUpgrade OR isDowngrade) AS tier_changes
FROM customer_lifecycle_analytics
WHERE toStartOfHour(eventTime) = (SELECT toStartOfHour(max(eventTime)) FROM customer_lifecycle_analytics)
GROUP BY time;

-- The last seven days of the rows -----------------------------------------------------------------------------------------
CREATE OR REPLACE VIEW fraud_alerts_trend AS
SELECT date,
  count() AS alerts,
  avg(riskScore) AS mean_risk_score,
  uniqExact(customerId) AS customers,
  countIf(severity = 'CRITICAL') AS critical
FROM fraud_detection_alerts
WHERE date > (SELECT max(date) FROM fraud_detection_alerts) - 7
GROUP BY date
ORDER BY date;

CREATE OR REPLACE VIEW merchant_performance_trend AS
SELECT date,
  sum(revenue) AS revenue,
  sum(transactions) AS transactions,
  sum(merchants) AS merchants,
  if(transactions = 0, NULL, toFloat64(revenue) / transactions) AS mean_amount
FROM (SELECT date, revenue, transactions, merchants FROM merchant_performance_summary)
WHERE date > (SELECT max(date) FROM merchant_performance_analytics) - 7
GROUP BY date
ORDER BY date;

CREATE OR REPLACE VIEW customer_analytics_trend AS
SELECT date,
  uniqExact(customerId) AS customers,
  avg(riskScore) AS mean_risk_score,
  countIf(isUpgrade) AS upgrades,
  countIf(isDowngrade) AS downgrades,
  countIf(kycCompleted) AS kyc_completions
FROM customer_lifecycle_analytics
WHERE date > (SELECT max(date) FROM customer_lifecycle_analytics) - 7
GROUP BY date
ORDER BY date;
