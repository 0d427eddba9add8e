/** Who did it. Whoever reaches Temporal directly is an installation operator and is recorded as such. */
export interface Actor {
  readonly name: string;
  readonly via: 'api' | 'temporal' | 'system';
  /** Id of the service principal: its name may be given to another one once it is revoked. */
  readonly principal?: string;
}

/** Tells two actors apart by what nobody else can get: a service principal's id, since its name may be another one's later. */
export const personOf = ({ principal, name }: Pick<Actor, 'principal' | 'name'>): string => principal ?? name;

/** Who holds the installation's own token. No service principal is called that. */
export const operatorName = 'operator';

export const system = (part: string): Actor => ({ name: `bakehouse/${part}`, via: 'system' });

/** Whoever typed it into Temporal: reaching it is a right of its own, and Temporal does not say who it was. */
export const installationOperator: Actor = { name: 'installation operator', via: 'temporal' };
