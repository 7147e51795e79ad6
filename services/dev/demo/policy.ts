/**
 * What of the analyser's policy is the demo's own: everything that is a length of time, so that a minute suffices.
 * The rest (tolerances, error budgets, cap of evidence per block) is the standard preset.
 */
export const demoPolicy = {
  version: 2,
  policies: [
    {
      component: '*',
      environment: '*',
      preset: 'standard',
      'warm-up': '3s',
      soak: '9s',
      judging: {
        window: '1s',
        // The cap counts per block of three windows, as it does in the standard preset.
        block: '3s',
        'no-data': '10s',
      },
    },
  ],
} as const;
