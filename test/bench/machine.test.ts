import { expect, test } from "vitest";
import { mountOf } from "./machine.ts";

const mounts = `/dev/vda / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/vdb /tmp/data xfs rw 0 0
tmpfs /tmp/data2 tmpfs rw 0 0
`;

test.each([
  ["/home/latchd", "ext4"],
  ["/tmp", "tmpfs"],
  ["/tmp/database", "tmpfs"],
  ["/tmp/data/bench", "xfs"],
  ["/tmp/data2", "tmpfs"],
  ["/tmpx", "ext4"],
])("mountOf() %s is on %s", (path, type) => {
  expect(mountOf(path, mounts).type).toBe(type);
});
