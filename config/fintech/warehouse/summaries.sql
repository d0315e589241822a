-- Summaries by day. They are computed on read from the views that show every row once, so repeated inserts never reach them; means
-- come from sums and counts, and what is called distinct is. Columns named *_state are aggregate states for coarser summaries:
-- sum the sums, merge the states (uniqExactMerge), divide at the end.

CREATE OR REPLACE VIEW fraud_alerts_summary AS
SELECT date, severity,
  count() AS alerts,
  sum(riskScore) AS risk_score_sum,
  sum(riskScore) / count() AS mean_risk_score,
  uniqExact(customerId) AS customers,
  uniqExact(transactionId) AS transactions,
  uniqExactState(customerId) AS customers_state,
  uniqExactState(transactionId) AS transactions_state
FROM fraud_detection_alerts
GROUP BY date, severity;

-- Rows carry running totals: of a day counts the last row of each merchant, and what it has more than the day before.
CREATE OR REPLACE VIEW merchant_performance_summary AS
SELECT date, country, businessType,
  sum(total - total_before) AS revenue,
  sum(transactions - transactions_before) AS transactions,
  if(transactions = 0, NULL, toFloat64(revenue) / transactions) AS mean_amount,
  sum(total) AS revenue_to_date,
  count() AS merchants,
  countIf(level = 'HIGH_PERFORMANCE') AS high_performance_merchants
FROM (
  SELECT merchantId, date, country, businessType, level, total, transactions,
    lagInFrame(total, 1, toDecimal64(0, 2)) OVER days AS total_before,
    lagInFrame(transactions, 1, toUInt32(0)) OVER days AS transactions_before
  FROM (
    SELECT merchantId, date,
      argMax(country, (transactionCount, eventTime)) AS country,
      argMax(businessType, (transactionCount, eventTime)) AS businessType,
      argMax(performanceLevel, (transactionCount, eventTime)) AS level,
      max(totalAmount) AS total,
      max(transactionCount) AS transactions
    FROM merchant_performance_analytics
    GROUP BY merchantId, date
  )
  WINDOW days AS (PARTITION BY merchantId ORDER BY date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
GROUP BY date, country, businessType;

CREATE OR REPLACE VIEW customer_lifecycle_summary AS
SELECT date, currentTier, currentKycStatus,
  uniqExact(customerId) AS customers,
  count() AS events,
  sum(riskScore) AS risk_score_sum,
  sum(riskScore) / count() AS mean_risk_score,
  countIf(isUpgrade OR isDowngrade) AS tier_changes,
  countIf(isUpgrade) AS upgrades,
  countIf(isDowngrade) AS downgrades,
  countIf(kycCompleted) AS kyc_completions,
  uniqExactState(customerId) AS customers_state
FROM customer_lifecycle_analytics
GROUP BY date, currentTier, currentKycStatus;

CREATE OR REPLACE VIEW customer_transaction_summary AS
SELECT date, preferredTransactionType,
  sum(totalAmount) AS amount,
  sum(transactionCount) AS transactions,
  toFloat64(amount) / transactions AS mean_amount,
  count() AS windows,
  uniqExact(customerId) AS customers,
  sum(riskScore) AS risk_score_sum,
  sum(riskScore) / count() AS mean_risk_score,
  uniqExactState(customerId) AS customers_state
FROM customer_transaction_metrics
GROUP BY date, preferredTransactionType;
