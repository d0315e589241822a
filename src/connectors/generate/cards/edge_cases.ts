/**
 * The cases that random data would almost never hit: every boundary, tie and switch of the card workload. Invariant: dropping
 * or changing any one rule or switch changes the result of at least one of these rows (tests/connectors/generate shows it).
 */

/** A payment as it is written into the file; texts on purpose, since their form is part of the case. */
export interface EdgePayment {
  readonly amount: string;
  readonly type?: string;
  /** Defaults to a shop in the customer's own region. */
  readonly location?: string;
  readonly merchant?: string;
  /** In the same second as the payment before, a day before it, or this very text. */
  readonly time?: "same_second" | "day_earlier" | { readonly text: string };
  /** A name for `repeats` and `cancels`. */
  readonly label?: string;
  /** Carries the id of that earlier payment again. */
  readonly repeats?: string;
  /** Names that payment as the one it cancels. */
  readonly cancels?: string;
  /** A card id that no file knows. */
  readonly card?: "unknown";
}
/** One card, money in cents. */
export interface EdgeCard {
  readonly limit: number;
  readonly balance: number;
  /** "missing": the file of customers does not have its customer. */
  readonly owner?: "missing";
  readonly payments: readonly EdgePayment[];
}
/** A customer made for a case; what is left out is drawn at random. */
export interface EdgeCustomer {
  readonly address?: string;
  readonly score?: number;
  readonly cards: readonly EdgeCard[];
}

const card = (limit: number, balance: number, ...payments: EdgePayment[]): EdgeCard => ({ limit, balance, payments });
const pay = (amount: string, more: Partial<EdgePayment> = {}): EdgePayment => ({ amount, ...more });

/** The single payment rules, their boundaries, and the forms of addresses and amounts. */
const PAYMENT_RULES: readonly EdgeCustomer[] = [
  {
    cards: [
      // Exactly half of the limit is too much, in either direction.
      card(100000, 0, pay("500.00"), pay("499.99"), pay("-500.00", { type: "refund" }), pay("-499.99", { type: "refund" }), pay("0.0")),
      // Reaches the limit exactly; in binary floats the third would pass it.
      card(100000, 17786, pay("140.06"), pay("291.73"), pay("390.35"), pay("0.01")),
      // Above its limit: a credit is declined as long as the result stays above.
      card(100000, 130000, pay("-200.0", { type: "refund" }), pay("-300.0", { type: "refund" })),
    ],
  },
  {
    cards: [
      // Signs: negative amounts of types that are no credits, and a cancellation of a declined payment.
      card(
        200000,
        40000,
        pay("-50.0"),
        pay("1000.0", { label: "declined" }),
        pay("-30.0", { type: "cancellation", cancels: "declined" }),
        pay("-10.55", { type: "refund" }),
        pay("-12.34", { type: "bill_payment" }),
      ),
      // Addresses: none, empty, short, ZIP+4 near and far, five-digit house numbers, digits two to five.
      card(
        300000,
        10000,
        pay("11.1", { location: "Kiosk, NY" }),
        pay("12.2", { location: "" }),
        pay("13.3", { location: "7 Short Street, Troy, NY 1218" }),
        pay("14.4", { location: "8 Plus Street, Troy, NY 12180-1234" }),
        pay("15.5", { location: "9 Plus Street, Saltmarsh, NJ 07030-1234" }),
        pay("16.6", { location: "12345 Elm Street, Poppy Bay, CA 90210" }),
        pay("17.7", { location: "90210 Elm Street, Albany, NY 12207" }),
        pay("18.8", { location: "5 Far Corner, Buffalo, NY 19999" }),
        pay("19.9", { location: "6 Slate Street, Slate Hollow, PA 18018" }),
        pay("20.2", { location: "1 Quay Street, Mill Quay, CT 06355  " }),
        pay("21.3", { location: "Online" }),
        pay("22.4", { location: "4 Elm Street, Albany, NY 12207 USA" }),
      ),
      // Forms of text: amounts, a quoted quote, letters beyond ASCII, a type nobody knows, a payment that names another.
      card(
        900000,
        5000,
        pay("25"),
        pay("26.5"),
        pay("27.500"),
        pay("28.28", { merchant: 'Dunleavy, "The Baker" and Sons' }),
        pay("29.29", { merchant: "Crème Brûlée Café" }),
        pay("30.3", { type: "gift_card" }),
      ),
    ],
  },
  // The customer's own address: a five-digit house number, and no ZIP code.
  { address: "90125 Longacre Road, Troy, NY 12180", cards: [card(400000, 20000, pay("31.41"))] },
  { address: "General Delivery, Troy, NY", cards: [card(400000, 20000, pay("32.42"))] },
  {
    cards: [
      // Both in one second: the file's order decides.
      card(100000, 70000, pay("-100.0", { type: "refund" }), pay("400.0", { time: "same_second" })),
      // Out of order: sorted by time the refund comes first.
      card(100000, 70000, pay("400.0"), pay("-100.0", { type: "refund", time: "day_earlier" })),
      // Repeated ids on the same card and on another one.
      card(200000, 5000, pay("41.0", { label: "once" }), pay("41.0", { repeats: "once" })),
    ],
  },
  {
    cards: [
      card(200000, 5000, pay("43.0", { repeats: "once" }), pay("44.0", { repeats: "declined" })),
      card(300000, 0, pay("45.0", { card: "unknown" }), pay("-46.0", { card: "unknown", type: "refund" })),
    ],
  },
  // The owner of the second card is in no file.
  { cards: [card(500000, 10000), { limit: 500000, balance: 10000, owner: "missing", payments: [pay("47.0"), pay("2500.0")] }] },
];

/** A customer with one card of this limit whose closing balance becomes `closing`, with a payment or without. */
function usage(limit: number, closing: number, options: { readonly score?: number; readonly paid?: string } = {}): EdgeCustomer {
  const { score, paid } = options;
  const paidCents = paid === undefined ? 0 : Math.round(Number(paid) * 100);
  return { score, cards: [card(limit, closing - paidCents, ...(paid === undefined ? [] : [pay(paid)]))] };
}

/** Each upper bound of usage for a limit of 5000.00, hit and passed by a cent. */
const USAGE_BOUNDS: readonly EdgeCustomer[] = [50000, 50001, 100000, 100001, 150000, 150001, 250000, 250001, 350000, 350001]
  .map((closing) => usage(500000, closing, { paid: "123.45" }));

/** New limits: ties to the even hundred, and the ends of the range. */
const LIMIT_ROUNDING: readonly EdgeCustomer[] = [
  usage(300000, 120000, { paid: "20.0" }),
  usage(700000, 280000),
  usage(500000, 200000),
  usage(100000, 40000),
  usage(90000, 36000),
  usage(120000, 48000),
  usage(100000, 60000),
  usage(250000, 150000),
  usage(450000, 270000, { paid: "20.5" }),
  usage(100000, 80000),
  usage(500000, 400000),
  usage(10000, 9000),
  usage(123456, 49382),
  usage(4999, 4500),
];

/** Customers at the ends: in credit, without cards, with a card that nobody uses, without any limit, at the ends of the score. */
const CUSTOMERS: readonly EdgeCustomer[] = [
  { cards: [card(300000, 2000, pay("-100.0", { type: "refund" }))] },
  { cards: [] },
  { cards: [card(250000, 0)] },
  { cards: [card(0, 0, pay("0.0"), pay("0.01"))] },
  { cards: [card(0, 5000, pay("-60.0", { type: "refund" }))] },
  { cards: [card(0, -500)] },
  usage(400000, 4000, { score: 845 }),
  usage(400000, 390000, { score: 310 }),
];

/** All of them; the order inside a card is the order in the file. */
export const EDGE_CUSTOMERS: readonly EdgeCustomer[] = [...PAYMENT_RULES, ...USAGE_BOUNDS, ...LIMIT_ROUNDING, ...CUSTOMERS];

/** Records that are refused, few enough not to spoil a demonstration. They use the first edge card. */
export const REFUSED_PAYMENTS: readonly EdgePayment[] = [
  pay(""),
  pay("twelve"),
  pay("NaN"),
  pay("19.995"),
  pay("52.0", { time: { text: "2025-02-30 10:00:00" } }),
];
