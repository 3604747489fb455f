import { freePort } from "../../support/broker.ts";

export const person = "f3a328b4-dd04-4370-9000-d52b7a01b0bf";
export const frontDoor = "054765c8-a2fc-4599-b486-14c19f462c45";

/** A device on a link. */
export const door = (deviceId: string, address: string, link = "simulated"): object => ({
  device_id: deviceId,
  name: address,
  time_zone: "UTC",
  at: { link, address },
});

/** One simulated lock, the front door, and a broker in the agent. */
export const embedded = async (
  lock: object = {},
  more: object = {},
): Promise<{ readonly config: object; readonly url: string; readonly port: number }> => {
  const port = await freePort();
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    config: {
      broker: { url: "embedded", port },
      links: { simulated: { driver: "simulated", ...lock } },
      devices: [door(frontDoor, "front-door")],
      ...more,
    },
  };
};

/** The same at a broker of its own. */
export const remote = (url: string, lock: object = {}, more: object = {}): object => ({
  agent_id: "gateway-1",
  broker: url,
  links: { simulated: { driver: "simulated", ...lock } },
  devices: [door(frontDoor, "front-door")],
  ...more,
});
