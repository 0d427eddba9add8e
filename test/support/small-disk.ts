export interface SmallDisk {
  /** Made when it is not there. Outside it stays as it is. */
  readonly folder: string;
  readonly kilobytes: number;
}

/** The command line of a program that sees a real, small disk at the folder: in a mount namespace of its own, so that nobody need be root. */
export function onSmallDisk(
  { folder, kilobytes }: SmallDisk,
  ...program: readonly string[]
): { readonly file: string; readonly args: readonly string[] } {
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const script = 'mkdir -p "$1" && mount -t tmpfs -o "size=$2k" tmpfs "$1" && shift 2 && exec "$@"';
  const inShell = ['sh', '-c', script, 'sh', folder, String(kilobytes), ...program];
  return { file: '/usr/bin/unshare', args: [...asRoot, '--mount', ...inShell] };
}
