/** The line that Temporal's UI shows in the header of a workflow, until the workflow itself says more. Bounded: Temporal takes 200 bytes. */
export function summaryOf(workflow: string, input: object): string {
  const facts = Object.entries(input).map(([name, value]) => `${name} ${String(value)}`);
  return [workflow, ...facts].join(' · ').slice(0, 150);
}
