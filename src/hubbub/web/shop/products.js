// Loads the catalogue, however long it is.

const PAGE = 500;

// Load a number of products in the order of their SKUs, or all of them.
export async function readProducts(connection, count) {
  const products = [];
  while (products.length < count) {
    const limit = Math.min(PAGE, count - products.length);
    const after = products.at(-1)?.sku ?? null;
    const page = await connection.call("shop.products", { limit, after });
    products.push(...page);
    if (page.length < limit) break;
  }
  return products;
}

// Load a number of products from a SKU on.
export async function findProducts(connection, sku, count) {
  if (!sku) return readProducts(connection, count);
  const [found, behind] = await Promise.all([
    connection.call("shop.product", { sku }).catch(() => null),
    connection.call("shop.products", { limit: count, after: sku }),
  ]);
  return found ? [found, ...behind] : behind;
}
