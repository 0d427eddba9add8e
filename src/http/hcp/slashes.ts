/** HCP's Go clients write the slashes of a resource name in a path as `%2F`; people and other clients write them as they are. */
export const withSlashes = (url: string): string => {
  if (!url.startsWith('/2023-05-31/')) return url;
  const [path = '', ...query] = url.split('?');
  return [path.replaceAll(/%2f/gi, '/'), ...query].join('?');
};
