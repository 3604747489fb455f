import type { Server } from "node:http";

/** Whoever is still connected then is cut off. */
const patienceMs = 500;

/** Closes a door within a second, whoever is still connected. */
export async function closeSoon(server: Server, close: () => Promise<unknown>): Promise<void> {
  const impatience = setTimeout(() => server.closeAllConnections(), patienceMs);
  try {
    await close();
  } finally {
    clearTimeout(impatience);
  }
}
