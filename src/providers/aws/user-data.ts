/** What a machine is told at its first boot: to end itself in time, and what the line adds. */
import type { LaunchSettings } from './settings.ts';

const border = 'bakehouse-part';

/**
 * Base64. A machine that shuts down terminates (`InstanceInitiatedShutdownBehavior`), so a machine that everybody forgot costs no more than
 * its time limit, rounded up to minutes. Several parts: cloud-init documentation, "MIME multi-part archive".
 */
export function userData(
  timeLimitMs: number,
  settings: Pick<LaunchSettings, 'platform' | 'userData'>,
): string {
  const text =
    settings.platform === 'windows' ? windows(timeLimitMs, settings) : linux(timeLimitMs, settings);
  return Buffer.from(text).toString('base64');
}

function linux(timeLimitMs: number, { userData: own }: Pick<LaunchSettings, 'userData'>): string {
  const minutes = Math.ceil(timeLimitMs / 60_000);
  const seconds = minutes * 60;
  // An image without systemd may have a `shutdown` that takes no delay.
  const script = `#!/bin/sh\nshutdown -h +${minutes} </dev/null >/dev/null 2>&1 || { sleep ${seconds}; poweroff -f; } </dev/null >/dev/null 2>&1 &\n`;
  if (own === undefined) return script;
  const parts = [part('text/x-shellscript', script), part(typeOf(own), own)];
  return `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="${border}"\n\n${parts.join('')}--${border}--\n`;
}

const part = (type: string, content: string): string =>
  `--${border}\nContent-Type: ${type}; charset="utf-8"\n\n${content}\n`;

function typeOf(text: string): string {
  if (text.startsWith('#cloud-config')) return 'text/cloud-config';
  return text.startsWith('#cloud-boothook') ? 'text/cloud-boothook' : 'text/x-shellscript';
}

function windows(timeLimitMs: number, { userData: own = '' }: Pick<LaunchSettings, 'userData'>): string {
  return `<powershell>\nshutdown.exe /s /t ${Math.ceil(timeLimitMs / 1_000)}\n${own}\n</powershell>\n`;
}
