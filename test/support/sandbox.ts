/**
 * Workflows in the real sandbox without a server: `Simulation` runs one or several, `runWorkflow` one to its end, `faultSuite` does to each
 * of its steps what may happen to it. Time, retries and messages are simulated; what concerns a real server is proved on one.
 */
export { faultSuite } from './sandbox/faults.ts';
export { Simulation } from './sandbox/simulation.ts';
export {
  injected,
  type Fakes,
  type Outcome,
  SimulatedTimeout,
  type SimulationOptions,
  type Step,
} from './sandbox/simulation-words.ts';
