/*
 * Preloaded (`node -r`) into zigbee2mqtt: a door lock in place of the radio, so that all above it is the real program.
 * Reaches into zigbee-herdsman 10.9.2, the version that zigbee2mqtt 2.14.1 pins.
 *
 * The parent process drives it over the IPC channel, once that has said {ready: true}: it sends {id, act, ...}, and gets {id, users, bolt, boltCommands} when that is done.
 *   mode {mode}                  ok · reject (answers "failure") · lie (answers "success", does nothing) · mask (answers
 *                                stars for digits) · dead (neither does nor answers) · storenoreply (does, answer lost)
 *   mood {mood}                  of its bolt alone: ok · refuses · deaf · loses_replies · says_yes_stores_nothing ·
 *                                says_no_and_stores
 *   die {at}                     the lock is dead from the next cluster command of that name on, and does not get that one
 *   type {digits}                someone types a PIN: the lock opens or denies, and tells of it
 *   operate {source, code, user} the lock tells of a use (ZCL: operation event notification)
 *   program {source, code, user} the lock tells of a change of its memory (programming event notification)
 *   bolt {state}                 the lock reports its bolt: 0 not fully locked, 1 locked, 2 unlocked
 *   battery {halves}             the lock reports its battery, in half percents
 *   forget                       the lock's memory is emptied, and its mode ok
 *   silence {attribute}          the lock does not know the ZCL attribute of that number
 *   look                         nothing
 */
const path = require("node:path");

const herdsman = path.dirname(require.resolve("zigbee-herdsman/package.json", { paths: [process.env.INTEROP_ROOT] }));
const { Adapter } = require(path.join(herdsman, "dist/adapter/adapter.js"));
const Zcl = require(path.join(herdsman, "dist/zspec/zcl/index.js"));
const Zdo = require(path.join(herdsman, "dist/zspec/zdo/index.js"));

const lockAt = 0x1234;
/** How long the radio tries a lock that does not answer: seconds in the field, short here to keep the tests so. */
const givesUpAfterMs = Number(process.env.FAKE_RADIO_PATIENCE_MS ?? 400);
/** How long a command and its answer are in the air. */
const airMs = Number(process.env.FAKE_RADIO_AIR_MS ?? 0);
const status = { success: 0, failure: 1, memoryFull: 2, duplicate: 3 };
const slots = 30;
const attributes = new Map([
  [0x12, [Zcl.DataType.UINT16, slots]],
  [0x17, [Zcl.DataType.UINT8, 8]],
  [0x18, [Zcl.DataType.UINT8, 4]],
]);

const lock = { mode: "ok", mood: "ok", diesAt: undefined, bolt: 2, boltCommands: 0, users: new Map() };

/** Tells of it, where it has moved: its state, and that it was done over the air. */
function moveBolt(name, to) {
  lock.boltCommands += 1;
  const refuses = lock.mode === "reject" || lock.mood === "refuses";
  const stays = refuses || lock.mode === "lie" || lock.mode === "dead" || lock.mood === "deaf";
  if (!stays && lock.mood !== "says_yes_stores_nothing" && lock.bolt !== to) {
    lock.bolt = to;
    setTimeout(() => {
      report("closuresDoorLock", 0, Zcl.DataType.ENUM8, to);
      acts.operate({ source: 1, code: to, user: 0xffff });
    }, 20);
  }
  return [name, { status: refuses || lock.mood === "says_no_and_stores" ? status.failure : status.success }];
}

/** What the lock does with a cluster command: name of its answer and payload. */
const commands = {
  lockDoor: () => moveBolt("lockDoorRsp", 1),
  unlockDoor: () => moveBolt("unlockDoorRsp", 2),
  setPinCode({ userid, userstatus, usertype, pincodevalue }) {
    const pin = String(pincodevalue);
    const twin = [...lock.users].some(([user, held]) => user !== userid && held.pin === pin);
    let answer = status.success;
    if (lock.mode === "reject" || pin.length < 4 || pin.length > 8 || userid >= slots) answer = status.failure;
    else if (twin) answer = status.duplicate;
    if (answer === status.success && lock.mode !== "lie" && lock.mode !== "dead") {
      lock.users.set(userid, { pin, userstatus, usertype });
    }
    return ["setPinCodeRsp", { status: answer }];
  },
  clearPinCode({ userid }) {
    if (lock.mode === "reject") return ["clearPinCodeRsp", { status: status.failure }];
    if (lock.mode !== "lie" && lock.mode !== "dead") lock.users.delete(userid);
    return ["clearPinCodeRsp", { status: status.success }];
  },
  getPinCode({ userid }) {
    const held = lock.users.get(userid);
    const digits = held ? (lock.mode === "mask" ? "*".repeat(held.pin.length) : held.pin) : "";
    return [
      "getPinCodeRsp",
      {
        userid,
        userstatus: held?.userstatus ?? 0,
        usertype: held?.usertype ?? 0xff,
        pincodevalue: Buffer.from(digits),
      },
    ];
  },
};

const attribute = ({ attrId }) => {
  const [dataType, attrData] = attrId === 0 ? [Zcl.DataType.ENUM8, lock.bolt] : (attributes.get(attrId) ?? []);
  return dataType === undefined
    ? { attrId, status: Zcl.Status.UNSUPPORTED_ATTRIBUTE }
    : { attrId, status: 0, dataType, attrData };
};

const globals = {
  read: (asked) => ["readRsp", asked.map(attribute)],
  configReport: () => ["configReportRsp", [{ status: 0 }]],
  write: () => ["writeRsp", [{ status: 0 }]],
};

let radio;

class FakeRadio extends Adapter {
  constructor(...given) {
    super(...given);
    this.hasZdoMessageOverhead = false;
    radio = this;
    process.send({ ready: true });
  }

  async start() {
    return "resumed";
  }
  async stop() {}
  async reset() {}
  async getCoordinatorIEEE() {
    return "0x00124b00deadbeef";
  }
  async getCoordinatorVersion() {
    return { type: "none", meta: { revision: "0" } };
  }
  async supportsBackup() {
    return false;
  }
  async getNetworkParameters() {
    return { panID: 6754, extendedPanID: "0xdddddddddddddddd", channel: 11, nwkUpdateID: 0 };
  }
  async permitJoin() {}
  async sendZdo(_ieee, _network, cluster) {
    if (cluster === Zdo.ClusterId.BIND_REQUEST || cluster === Zdo.ClusterId.UNBIND_REQUEST) return [Zdo.Status.SUCCESS];
    throw new Error("no answer");
  }
  async sendZclFrameToGroup() {}
  async sendZclFrameToAll() {}

  async sendZclFrameToEndpoint(_ieee, network, endpoint, frame, timeout, disableResponse) {
    const table = frame.header.isGlobal ? globals : commands;
    const type = frame.header.isGlobal ? Zcl.FrameType.GLOBAL : Zcl.FrameType.SPECIFIC;
    if (frame.command.name === lock.diesAt) Object.assign(lock, { mode: "dead", diesAt: undefined });
    const answer = table[frame.command.name]?.(frame.payload);
    const isOfBolt = frame.command.name === "lockDoor" || frame.command.name === "unlockDoor";
    const isBoltSilent = isOfBolt && (lock.mood === "deaf" || lock.mood === "loses_replies");
    if (lock.mode === "dead" || lock.mode === "storenoreply" || isBoltSilent) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(timeout, givesUpAfterMs)));
      throw new Error(
        `Timeout - ${network} - ${endpoint} - ${frame.header.transactionSequenceNumber} after ${timeout}ms`,
      );
    }
    if (airMs > 0) await new Promise((resolve) => setTimeout(resolve, airMs));
    if (!answer) return undefined;
    const arrived = received(type, frame.header.transactionSequenceNumber, frame.cluster.name, ...answer);
    // An adapter hands on every frame that it hears, also the one that someone waits for.
    setImmediate(() => this.emit("zclPayload", arrived));
    return disableResponse ? undefined : arrived;
  }
}

function received(type, sequence, cluster, name, payload) {
  const frame = Zcl.Frame.create(
    type,
    Zcl.Direction.SERVER_TO_CLIENT,
    true,
    undefined,
    sequence,
    name,
    cluster,
    payload,
    {},
  );
  const data = frame.toBuffer();
  return {
    clusterID: frame.cluster.ID,
    header: Zcl.Header.fromBuffer(data),
    data,
    address: lockAt,
    endpoint: 1,
    destinationEndpoint: 1,
    linkquality: 100,
    groupID: 0,
    wasBroadcast: false,
  };
}

const tell = (name, payload) =>
  radio.emit("zclPayload", received(Zcl.FrameType.SPECIFIC, 250, "closuresDoorLock", name, payload));
const report = (cluster, attrId, dataType, attrData) =>
  radio.emit("zclPayload", received(Zcl.FrameType.GLOBAL, 251, cluster, "report", [{ attrId, dataType, attrData }]));
const noTime = 0xffffffff;

const acts = {
  mode({ mode }) {
    lock.mode = mode;
  },
  mood({ mood }) {
    lock.mood = mood;
  },
  die({ at }) {
    lock.diesAt = at;
  },
  operate: ({ source, code, user }) =>
    tell("operationEventNotification", {
      opereventsrc: source,
      opereventcode: code,
      userid: user,
      pin: Buffer.alloc(0),
      zigbeelocaltime: noTime,
      data: "",
    }),
  program: ({ source, code, user }) =>
    tell("programmingEventNotification", {
      programeventsrc: source,
      programeventcode: code,
      userid: user,
      pin: Buffer.alloc(0),
      usertype: 0,
      userstatus: 1,
      zigbeelocaltime: noTime,
      data: "",
    }),
  bolt({ state }) {
    lock.bolt = state;
    report("closuresDoorLock", 0, Zcl.DataType.ENUM8, state);
  },
  battery: ({ halves }) => report("genPowerCfg", 0x21, Zcl.DataType.UINT8, halves),
  type({ digits }) {
    const [user] = [...lock.users].find(([, held]) => held.pin === digits) ?? [0xffff];
    acts.operate({ source: 0, code: user === 0xffff ? 5 : 2, user });
  },
  forget() {
    lock.users.clear();
    Object.assign(lock, { mode: "ok", mood: "ok", bolt: 1, boltCommands: 0 });
  },
  silence: ({ attribute: id }) => attributes.delete(id),
  look() {},
};

Adapter.create = async (...given) => new FakeRadio(...given);

process.on("message", ({ id, act, ...rest }) => {
  acts[act](rest);
  const users = [...lock.users].map(([user, { pin }]) => [user, pin]);
  process.send({ id, users, bolt: lock.bolt, boltCommands: lock.boltCommands });
});
// Without its parent it would run for ever.
process.on("disconnect", () => process.exit(0));
