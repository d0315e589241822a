/** The ten rules of customer screening as settings of a decide, for tests of histories. */
import type { Plain } from "../support/settings.ts";

/** Fields: id, customer_id, from_account_id, amount, device, country, created_at; a table accounts; params threshold and always_alert. */
export const SCREENING: { readonly [name: string]: Plain } = {
  where: "from_account_id != null",
  key: "customer_id",
  lookup: { account: "accounts[from_account_id]" },
  match: "all",
  emit_when: "points > params.threshold || matched.exists(code, code in params.always_alert)",
  state: {
    recent: { type: "history", keep: { count: 100 }, fields: { id: "id", at: "created_at", amount: "amount" } },
    day: {
      type: "history",
      time: "at",
      keep: { for: 86_400_000 },
      fields: { at: "created_at", amount: "amount", country: "country", device: "device" },
    },
  },
  let: {
    now: "created_at",
    hour: "created_at.getHours('UTC')",
    today: "day.filter(e, e.at >= now - duration('24h') && e.at <= now)",
    mean: "recent.map(e, e.amount).avg(2, 'half_up')",
  },
  rules: [
    { code: "HIGH", points: 30, when: "amount > 10000.00" },
    { code: "DAILY", points: 40, when: "today.map(e, e.amount).sum() > 50000.00" },
    { code: "FREQUENT", points: 25, when: "recent.filter(e, e.at > now - duration('1h') && e.at <= now).size() > 10" },
    { code: "LOCATIONS", points: 20, when: "today.map(e, e.country != null, e.country).distinct().size() > 5" },
    { code: "DEVICES", points: 15, when: "today.map(e, e.device != null, e.device).distinct().size() > 3" },
    { code: "RAPID", points: 35, when: "recent.exists(e, e.id != id && e.at <= now && now - e.at < duration('60s'))" },
    { code: "UNUSUAL", points: 20, when: "recent.size() >= 5 && (hour < 6 || hour > 22 || amount > 3 * mean)" },
    { code: "FROZEN", points: 50, when: "coalesce(account.is_frozen, false)" },
    { code: "INACTIVE", points: 30, when: "!coalesce(account.is_active, true)" },
    {
      code: "EXCESSIVE",
      points: 25,
      when: "account.minimum_balance != null && account.minimum_balance > 0.00 && amount > 10 * account.minimum_balance",
    },
  ],
  emit: { id: "id", rules: "matched", points: "points" },
};
