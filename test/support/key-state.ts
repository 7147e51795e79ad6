import type { KeyState } from '../../services/core/trust/trust.ts';
import type { Signer } from '../../services/ports/signer.ts';

/** A key of the analyser as the log names it, in good standing everywhere unless said otherwise. */
export const keyState = (signer: Signer, change: Partial<KeyState> = {}): KeyState => ({
  id: signer.keyId,
  principal: signer.principal,
  algorithm: signer.algorithm,
  publicKey: signer.publicKey,
  roles: ['analyser'],
  environments: ['*'],
  components: ['*'],
  kinds: ['*'],
  addedAt: 1,
  retiredAt: null,
  compromised: null,
  ...change,
});
