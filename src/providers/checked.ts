/** One look of a provider's doctor. */
export interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** What it found; a look that throws is a check that failed, for the reason it gives. */
export async function checked(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { check: name, ok: true, detail: await look() };
  } catch (error) {
    return { check: name, ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
