import { isIPv4 } from "node:net";

/** Whether what listens at an address, or comes from it, is on this machine. */
export const isLoopback = (host: string): boolean => {
  const plain = host.replace(/^::ffff:/, "");
  return plain === "localhost" || plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
};
