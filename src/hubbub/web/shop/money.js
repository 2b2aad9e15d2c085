// Money: whole numbers of a currency's smallest unit, never floats.

// Return the number of decimals of a currency, as the browser knows it.
function decimalsOf(currency) {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
}

// "$19.99", in the browser's language or another; a decimal as a string is formatted exactly.
export function moneyText({ amount, currency }, language = undefined) {
  const decimals = decimalsOf(currency);
  const digits = String(Math.abs(amount)).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const exact = `${amount < 0 ? "-" : ""}${whole}${decimals ? `.${digits.slice(-decimals)}` : ""}`;
  return new Intl.NumberFormat(language, { style: "currency", currency }).format(exact);
}

// "12.5" -> { amount: 1250, currency }; null if it is not an amount of that currency.
export function parseMoney(text, currency) {
  const decimals = decimalsOf(currency);
  const found = /^(\d{1,12})(?:[.,](\d*))?$/.exec(text.trim());
  if (!found || (found[2] ?? "").length > decimals) return null;
  return { amount: Number(found[1] + (found[2] ?? "").padEnd(decimals, "0")), currency };
}
