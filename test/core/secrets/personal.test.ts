import { expect, test } from 'vitest';
import { maskAddresses } from '../../../services/core/secrets/personal.ts';

test.each([
  ['alice@example.com', 'a…@example.com'],
  ['by Bob <bob.o+ci@mail.shop.co.uk>, approved', 'by Bob <b…@mail.shop.co.uk>, approved'],
  [
    'Co-authored-by: X <x.y@shop.dev>; z.z@shop.dev',
    'Co-authored-by: X <x…@shop.dev>; z…@shop.dev',
  ],
])('%s becomes %s', (text, masked) => {
  expect(maskAddresses(text)).toBe(masked);
  expect(maskAddresses(masked)).toBe(masked);
});

test.each([
  'git@github.com:shop/checkout.git',
  'https://ci@git.example.com/shop.git',
  'ssh://git@git.example.com/shop.git',
  '@shop/checkout@2.0.0-beta.rc',
  'checkout@2.0.0',
  'registry.example.com/shop/checkout@sha256:3f78',
  'getty@tty1.service',
  'postgres@db.internal',
  '49699333+dependabot[bot]@users.noreply.github.com',
  'deploy@shop-1.iam.gserviceaccount.com',
  'ci@checkout',
  'alice',
])('%s names no person and stays', (text) => {
  expect(maskAddresses(text)).toBe(text);
});
