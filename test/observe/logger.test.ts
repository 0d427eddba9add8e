import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/settings.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { createOutageLines } from '../../src/observe/outage-lines.ts';
import { prettyLine } from '../../src/observe/pretty.ts';
import { createTemporalLogger } from '../../src/observe/temporal-log.ts';

function collecting(level = 'debug') {
  const lines: string[] = [];
  const { log: settings } = loadSettings({ BAKEHOUSE_LOG_LEVEL: level });
  const logger = createLogger({ settings, process: 'test', to: { write: (line) => void lines.push(line) } });
  return { logger, lines, entries: () => lines.map((line): unknown => JSON.parse(line)) };
}

describe('the logger', () => {
  it('writes JSON lines with process, instant, message and facts', () => {
    const { logger, entries } = collecting();
    logger.info({ bucket: 'base' }, 'baked');

    expect(entries()).toEqual([
      {
        level: 30,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        process: 'test',
        bucket: 'base',
        msg: 'baked',
      },
    ]);
  });

  it('keeps to its level', () => {
    const { logger, lines } = collecting('warn');
    logger.info('not this');
    logger.warn('this');

    expect(lines).toHaveLength(1);
  });

  it('blanks passwords: in fields, in nested fields, in addresses inside of errors', () => {
    const { logger, lines } = collecting();
    logger.error(
      {
        token: 'pa55',
        settings: { password: 'pa55' },
        err: new Error('cannot reach postgres://me:pa55@db/x'),
      },
      'failed at postgres://me:pa55@db:5432/x',
    );

    expect(lines.join('')).not.toContain('pa55');
    expect(lines.join('')).toContain('postgres://me:***@db');
  });
});

describe('the readable line', () => {
  it('holds time, level, process, message, error and facts', () => {
    const line = JSON.stringify({
      level: 40,
      time: '2026-11-21T10:00:01.250Z',
      process: 'worker',
      bucket: 'base',
      err: { message: 'no route' },
      msg: 'waiting',
    });

    expect(prettyLine(line)).toMatch(/10:00:01\.250.*warn.*worker.*waiting.*no route.*bucket=base/);
  });

  it('passes what is not JSON', () => {
    expect(prettyLine('Listening')).toBe('Listening');
    expect(prettyLine('7')).toBe('7');
  });
});

describe('outage lines', () => {
  it('come once per interval and say how many were swallowed', () => {
    let clock = 0;
    const lines = createOutageLines(1_000, () => clock);

    expect(lines.admit('poll failed after 12 ms')).toBe(0);
    clock = 400;
    expect(lines.admit('poll failed after 15 ms')).toBeUndefined();
    expect(lines.admit('another thing')).toBe(0);
    clock = 1_001;
    expect(lines.admit('poll failed after 19 ms')).toBe(1);
  });

  it('limit what Temporal repeats, and only warnings and errors', () => {
    const { logger, entries } = collecting();
    const temporal = createTemporalLogger(logger);
    for (let index = 0; index < 20; index += 1)
      temporal.warn(`retry ${index}`, { attempt: index, nanos: 5n });
    for (let index = 0; index < 3; index += 1) temporal.info('a step', { index });

    expect(entries()).toHaveLength(4);
    expect(entries()[0]).toMatchObject({ msg: 'retry 0', nanos: '5', process: 'test' });
  });
});
