import type { CliPorts } from '../ports.ts';
import { startAnalyser } from './analyser-service.ts';
import type { Composition, ServiceComposition } from './composition.ts';
import { startGateway } from './gateway-service.ts';
import { withMetrics } from './metrics-server.ts';
import { openOwnMetrics } from './own-metrics.ts';
import { startProjector } from './projector-service.ts';

/** Starts the services of this process. */
export const servicesOn = (composition: Composition): CliPorts['start'] => {
  const services: ServiceComposition = {
    ...composition,
    alongside: {},
    metrics: openOwnMetrics(),
  };
  return withMetrics(services, (service) => {
    switch (service) {
      case 'gateway':
        return startGateway(services);
      case 'projector':
        return startProjector(services);
      case 'analyser':
        return startAnalyser(services);
    }
  });
};
