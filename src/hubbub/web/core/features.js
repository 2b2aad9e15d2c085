// Which features the hub has. The server writes their names into the page.

const names = (document.documentElement.dataset.features ?? "").split(" ").filter(Boolean);

// Opened without a server, from a disk, a page shows all that it has.
export const has = (name) => !names.length || names.includes(name);
