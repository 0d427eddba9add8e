/**
 * Works through what `next` hands out, at most `width` at once; a lane takes the next one as soon as it is free. Ends when `next` answers
 * undefined and all lanes are free.
 */
export async function inLanes<T>(
  width: number,
  next: () => Promise<T | undefined>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const lane = async () => {
    for (let item = await next(); item !== undefined; item = await next()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
