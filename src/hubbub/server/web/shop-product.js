// Setting a product, for admins.

import { formDialog } from "./dialog.js";
import { moneyText, parseMoney } from "./shop-money.js";

// Open the form of a product, or of a new one (null) in a currency.
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
      label: "Stock (empty: always enough)",
      inputmode: "numeric",
      value: product?.stock ?? "",
    },
    { name: "category", label: "Category", maxlength: 100, value: product?.category ?? "" },
  ].filter(Boolean);
  const act = ({ sku, name, price, stock, category }) =>
    app.connection.call("shop.set_product", {
      sku: product?.sku ?? sku,
      name,
      price: priceOf(price, currency),
      stock: stockOf(stock),
      category: category || null,
    });
  return formDialog(product ? `Edit ${product.name}` : "New product", fields, { submit: "Save", act });
}

// "1234.50", as it is typed.
function plainText(price) {
  return moneyText(price, "en").replace(/[^\d.]/g, "");
}

function priceOf(text, currency) {
  const price = parseMoney(text, currency);
  if (!price) throw new Error(`${text} is no price in ${currency}.`);
  return price;
}

function stockOf(text) {
  if (!text.trim()) return null;
  if (!/^\d{1,9}$/.test(text.trim())) throw new Error(`${text} is no number of things.`);
  return Number(text);
}
