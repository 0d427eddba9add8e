import type { GateVerdict } from './channel.ts';
import { formatDuration } from './duration.ts';
import type { Gates } from './image-line.ts';
import { epochMs } from './instant.ts';

/** What the gates of one channel ask about one version, as it stands at `now`. */
export interface GateFacts {
  /** `v3`, for the sentences. */
  readonly versionName: string;
  readonly channel: string;
  readonly gates: Gates;
  /** `open`: a test launch that counts has not ended. */
  readonly tested: 'passed' | 'failed' | 'open';
  readonly verified: boolean;
  /** Images where this installation will never look, and why not. Absent: none. */
  readonly unreached?: readonly string[];
  /** The channel before this one in the line, and how the version fared there; null for the first. */
  readonly before: {
    readonly channel: string;
    readonly everOn: boolean;
    readonly on: boolean;
    /** Milliseconds it has been on it in all. */
    readonly soakedMs: number;
  } | null;
  /** Different people. */
  readonly approvals: number;
  readonly askedAt: string;
  readonly now: string;
}

/** Facts that nobody announces (a test's end, a verification) are looked at again this often. */
export const lookAgainMs = 15_000;

type Finding = { readonly refuse: string } | { readonly wait: string; readonly ms: number };

/** Ready, or wait for all that is open, or refuse for what can no longer come true. */
export function gateVerdict(facts: GateFacts): GateVerdict {
  const findings = [reached(facts), tested(facts), verified(facts), soaked(facts), approved(facts)].filter(
    (finding) => finding !== undefined,
  );
  const reasons = findings.flatMap((finding) => ('refuse' in finding ? [finding.refuse] : []));
  if (reasons.length > 0) return { verdict: 'refuse', reasons };
  const waits = findings.flatMap((finding) => ('wait' in finding ? [finding] : []));
  if (waits.length === 0) return { verdict: 'ready' };
  return {
    verdict: 'wait',
    waitMs: Math.max(1, Math.min(...waits.map(({ ms }) => ms))),
    waitingFor: waits.map(({ wait }) => wait),
  };
}

const shown = 3;

function reached({ gates, unreached = [], versionName, channel }: GateFacts): Finding | undefined {
  if (unreached.length === 0 || !(gates.tested || gates.verified)) return undefined;
  const more = unreached.length > shown ? ` and ${unreached.length - shown} more` : '';
  return {
    refuse: `${versionName} has images that nobody here can look at, and ${channel} takes none without that: ${unreached.slice(0, shown).join('; ')}${more}`,
  };
}

function tested({ gates, tested: result, versionName, channel }: GateFacts): Finding | undefined {
  if (!gates.tested || result === 'passed') return undefined;
  if (result === 'open') return { wait: `the test launch of ${versionName}`, ms: lookAgainMs };
  return {
    refuse: `${versionName} failed its latest test launch, and ${channel} takes tested versions only: repair the image and bake again, or test it again`,
  };
}

function verified({ gates, verified: seen, versionName }: GateFacts): Finding | undefined {
  if (!gates.verified || seen) return undefined;
  return { wait: `${versionName} to be verified in every target`, ms: lookAgainMs };
}

function soaked({ gates, before, versionName, channel }: GateFacts): Finding | undefined {
  if (before === null || (!gates.inOrder && gates.soakMs === 0)) return undefined;
  if (!before.everOn) {
    return {
      refuse: `${versionName} was never on ${before.channel}, which comes before ${channel}: promote it there first`,
    };
  }
  const missing = gates.soakMs - before.soakedMs;
  if (missing <= 0) return undefined;
  if (before.on) return { wait: `${formatDuration(missing)} more on ${before.channel}`, ms: missing };
  return {
    refuse: `${versionName} left ${before.channel} ${formatDuration(missing)} before its time there was over: promote it there again, or promote the version that is on it now`,
  };
}

function approved({ gates, approvals, askedAt, now, versionName, channel }: GateFacts): Finding | undefined {
  const missing = gates.approvals - approvals;
  if (missing <= 0) return undefined;
  const people = missing === 1 ? '1 approval' : `${missing} approvals`;
  if (gates.approvalDeadlineMs === 0) return { wait: people, ms: 24 * 3_600_000 };
  const left = epochMs(askedAt) + gates.approvalDeadlineMs - epochMs(now);
  if (left > 0) return { wait: people, ms: left };
  return {
    refuse: `${people} for ${versionName} on ${channel} did not come within ${formatDuration(gates.approvalDeadlineMs)}: ask for the promotion again`,
  };
}
