import type { CommandClass, UserCredentialCCCredentialReport, UserCredentialCCUserReport } from "@zwave-js/cc";
import type { Driver as Zwave } from "zwave-js";
import type { UserCodeAnswer } from "./codec-user-code.ts";
import type { Library } from "./library.ts";

/** Sends a command by zwave-js. */
export type Send = Zwave["sendCommand"];

/**
 * Asks as zwave-js's API does, with one difference: that takes any report of the right kind for the answer, so that a late
 * answer to an earlier question would be told of the wrong slot.
 */
export const asker =
  (send: Send, options: Parameters<Send>[1]) =>
  async <R extends CommandClass>(
    question: CommandClass,
    kind: abstract new (...given: never[]) => R,
    isAbout: (report: R) => boolean,
  ): Promise<R | undefined> => {
    const isReport = question.isExpectedCCResponse.bind(question);
    question.isExpectedCCResponse = (context, received) =>
      isReport(context, received) && received instanceof kind && isAbout(received);
    const answer: unknown = await send<R>(question, options);
    return answer instanceof kind ? answer : undefined;
  };

/** What a lock is asked about a slot or a user. */
export function questionsTo(
  nodeId: number,
  send: Send,
  { commands, UserCredentialType }: Library,
  options: Parameters<Send>[1],
) {
  const ask = asker(send, options);
  return {
    /** What is in a slot of a lock with User Code. */
    code: async (userId: number): Promise<UserCodeAnswer | undefined> => {
      if (userId <= 0xff) {
        const question = new commands.UserCodeCCGet({ nodeId, userId });
        return ask(question, commands.UserCodeCCReport, (report) => report.userId === userId);
      }
      const question = new commands.UserCodeCCExtendedUserCodeGet({ nodeId, userId, reportMore: false });
      const report = await ask(
        question,
        commands.UserCodeCCExtendedUserCodeReport,
        ({ userCodes }) => userCodes[0]?.userId === userId,
      );
      return report?.userCodes[0];
    },
    /** What is in a slot for PINs of a lock with User Credential, whosever it is. */
    pin: (credentialSlot: number): Promise<UserCredentialCCCredentialReport | undefined> => {
      const credentialType = UserCredentialType.PINCode;
      const question = new commands.UserCredentialCCCredentialGet({
        nodeId,
        userId: 0,
        credentialType,
        credentialSlot,
      });
      return ask(
        question,
        commands.UserCredentialCCCredentialReport,
        (report) => report.credentialType === credentialType && report.credentialSlot === credentialSlot,
      );
    },
    user: (userId: number): Promise<UserCredentialCCUserReport | undefined> => {
      const question = new commands.UserCredentialCCUserGet({ nodeId, userId });
      return ask(question, commands.UserCredentialCCUserReport, (report) => report.userId === userId);
    },
  };
}
