/** The list that the bundler loads: every workflow by name, and nothing else. */
export { bake } from './bake.ts';
export { release } from './release.ts';
export { testLaunch } from './test-launch.ts';
export { deliverWebhook } from './deliver-webhook.ts';
export { checkRun } from './check-run.ts';
export { cascade } from './cascade.ts';
export { promote } from './promote.ts';
export { retire } from './retire.ts';
export { rollBackChannels } from './roll-back-channels.ts';
export { expireBuilds } from './expire-builds.ts';
export { scheduleRevocation } from './schedule-revocation.ts';
