/** Who did it. Whoever reaches Temporal directly is an installation operator and is recorded as such. */
export interface Actor {
  readonly name: string;
  readonly via: 'api' | 'temporal' | 'system';
}

export const system = (part: string): Actor => ({ name: `bakehouse/${part}`, via: 'system' });

/** Whoever typed it into Temporal: reaching it is a right of its own, and Temporal does not say who it was. */
export const installationOperator: Actor = { name: 'installation operator', via: 'temporal' };
