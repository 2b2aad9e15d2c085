// The form of a product, for admins.

import { formDialog } from "../core/dialog.js";
import { moneyText, parseMoney } from "./money.js";

// Open the form of a product, or of a new product (null) in a currency.
export function editProduct(app, product, currency) {
  const fields = [
    !product && { name: "sku", label: "SKU", required: true, maxlength: 64 },
    { name: "name", label: "Name", required: true, maxlength: 100, value: product?.name ?? "" },
    {
      name: "price",
      label: `Price in ${currency}`,
      required: true,
      inputmode: "decimal",
      value: product ? plainText(product.price) : "",
    },
    {
      name: "stock",
      label: "Stock (leave empty for no limit)",
      inputmode: "numeric",
      value: product?.stock ?? "",
    },
    { name: "category", label: "Category", maxlength: 100, value: product?.category ?? "" },
  ].filter(Boolean);
  const act = async ({ sku, name, price, stock, category }) => {
    const wanted = stockOf(stock);
    const known = product?.stock;
    const given = { sku: product?.sku ?? sku, name, price: priceOf(price, currency), category: category || null };
    // Some may be sold while the form is open: unchanged values are not sent, and a changed stock
    // is sent as a difference.
    const counted = typeof known === "number" && wanted !== null;
    if (wanted !== known && !counted) given.stock = wanted;
    const set = await app.connection.call("shop.set_product", given);
    if (!counted || wanted === known) return set;
    return app.connection.command("shop.adjust_stock", { sku: given.sku, by: wanted - known });
  };
  return formDialog(product ? `Edit ${product.name}` : "New product", fields, { submit: "Save", act });
}

// "1234.50", as a user types it.
function plainText(price) {
  return moneyText(price, "en").replace(/[^\d.]/g, "");
}

function priceOf(text, currency) {
  const price = parseMoney(text, currency);
  if (!price) throw new Error(`${text} is not a price in ${currency}.`);
  return price;
}

function stockOf(text) {
  if (!text.trim()) return null;
  if (!/^\d{1,9}$/.test(text.trim())) throw new Error(`${text} is not a whole number.`);
  return Number(text);
}
