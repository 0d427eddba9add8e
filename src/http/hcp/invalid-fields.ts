import { Failure } from '../../domain/failure.ts';

/** `invalid_input` that names its fields, in google.rpc.BadRequest too. */
export function invalidFields(
  fields: readonly { readonly field: string; readonly description: string }[],
): Failure {
  return new Failure(
    'invalid_input',
    fields
      .map(({ field, description }) => (field === '' ? description : `${field}: ${description}`))
      .join('; '),
    { details: { fieldViolations: fields } },
  );
}
