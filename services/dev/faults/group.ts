import { redisStoreName } from '../../adapters/redis/connection.ts';
import { projectorGroup } from '../../projector/group.ts';
import type { Street } from './street.ts';

/** The group of a street's projectors. */
export const groupOf = ({ foundation, audience, redis }: Street): string =>
  projectorGroup(foundation.tools.crypto, audience, redisStoreName(redis.url, audience));
