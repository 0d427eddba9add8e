/**
 * The SDK's error codes, sorted into the failure catalogue. Sources: "Error codes for the Amazon EC2 API" (EC2 developer guide), "Common
 * errors" of the Systems Manager, STS and Auto Scaling API references.
 */
import type { FailureCode } from '../../domain/failure.ts';

/** The first that matches decides: `RequestLimitExceeded` is a rate, `InstanceLimitExceeded` a quota. */
const table: readonly (readonly [RegExp, FailureCode])[] = [
  [
    /Throttl|^TooManyRequests|^RequestLimitExceeded$|^SlowDown$|^BandwidthLimitExceeded$|^PriorRequestNotComplete$/,
    'rate_limited',
  ],
  // Limits on what goes on at the same time: they pass by themselves.
  [
    /^Concurrent|^SnapshotCreationPerVolumeRateExceeded$|^PendingSnapshots?LimitExceeded$|^TooManyUpdates$|^MaxDocumentSizeExceeded$/,
    'rate_limited',
  ],
  [
    /^InsufficientInstanceCapacity$|^Insufficient\w*Capacity$|^Server\.|^InternalError$|^InternalFailure$|^InternalServerError$/,
    'provider_unavailable',
  ],
  [
    /^(Service)?Unavailable(Exception)?$|^RequestTimeout(Exception)?$|^TimeoutError$|^RequestTimeTooSkewed$/,
    'provider_unavailable',
  ],
  // A replacement of what was changed at the same moment: asked again, it is settled.
  [/^ResourceContention|^ScalingActivityInProgress$|^ResourceInUse$/, 'provider_unavailable'],
  [/^UnauthorizedOperation$|^AccessDenied|^Client\.UnauthorizedOperation$/, 'permission_denied'],
  [
    /^AuthFailure$|^UnrecognizedClient|^InvalidClientTokenId$|^ExpiredToken|^RequestExpired$|^SignatureDoesNotMatch$|^InvalidSignature|^InvalidAccessKeyId$/,
    'provider_credentials',
  ],
  [
    /^MissingAuthenticationToken|^IncompleteSignature$|^OptInRequired$|^PendingVerification$|^Blocked$|^CredentialsProviderError$|^TokenProviderError$|^RegionDisabled/,
    'provider_credentials',
  ],
  [
    /LimitExceeded|QuotaExceeded|^MaxSpotInstanceCountExceeded$|^InsufficientFreeAddressesInSubnet$|^TooManyParameters$/,
    'resource_exhausted',
  ],
  [/^InvalidAMIID\.(NotFound|Unavailable|Malformed)$/, 'not_found'],
  [/NotFound|^ParameterNotFound$|^InvocationDoesNotExist$|\.Malformed$/, 'not_found'],
  [/^InvalidAMIName\.Duplicate$|Duplicate$|AlreadyExists/, 'already_exists'],
  [/^IdempotentParameterMismatch$|^DependencyViolation$|\.InUse$|^VolumeInUse$/, 'conflict'],
  [
    /^Incorrect\w*State$|^SnapshotLocked|^OperationNotPermitted$|^Unsupported|^InvalidInstanceId$|^InvalidState/,
    'illegal_state',
  ],
  [
    /^VPC(Id|Resource)NotSpecified$|^TagPolicyViolation$|^Invalid|^Missing|^Validation|^Malformed|^UnknownParameter$|^HierarchyLevel|^Unsupported/,
    'invalid_input',
  ],
];

/** What passes once others have ended, asked again after this long. */
const othersEndMs = 60_000;

/** `ResourceLimitExceeded` is a quota, and also the limit of copies that are in progress: only the message says which. */
export function waitForOthers(awsCode: string, message: string): number | undefined {
  if (/^PendingSnapshots?LimitExceeded$/.test(awsCode)) return othersEndMs;
  return awsCode === 'ResourceLimitExceeded' && /in progress/i.test(message) ? othersEndMs : undefined;
}

/** What to do about an error whose words do not say so. */
export function remedyFor(awsCode: string): string | undefined {
  if (/^VPC(Id|Resource)NotSpecified$/.test(awsCode))
    return 'the account has no default network: set launch.subnetId';
  if (awsCode === 'TagPolicyViolation')
    return "the organization's tag policy refuses the tags: allow them there";
  if (awsCode === 'SnapshotLocked')
    return 'a person locked the snapshot: wait until the lock ends, or unlock it';
  return undefined;
}

export function codeOf(awsCode: string): FailureCode | undefined {
  return table.find(([shape]) => shape.test(awsCode))?.[1];
}
