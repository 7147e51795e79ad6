import { createMemoryReadModelStore } from '../../../services/adapters/memory/read-model-store.ts';
import { readModelStoreContract } from '../../contract/read-model-store.contract.ts';

readModelStoreContract('memory read-model store', async () => {
  const store = createMemoryReadModelStore({ orderedModels: ['timeline'] });
  return { store, close: store.close };
});
