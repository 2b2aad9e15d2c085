// The features of the hub. The server writes their names into the page.

const names = (document.documentElement.dataset.features ?? "").split(" ").filter(Boolean);

// Without a server, opened from a disk, the page shows all its features.
export const has = (name) => !names.length || names.includes(name);
