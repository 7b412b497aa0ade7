import { called, of, type Resource, type Tree, WORKLOADS } from "./render";

/** What the manifests refer to and somebody else brings: see k8s/README.md. */
const BROUGHT_BY_OTHERS = ["Secret/gateway", "Secret/gateway-tls", "Gateway/public"];

type Labels = Readonly<Record<string, string>>;

/** Every reference that leads nowhere. */
export function dangling(resources: readonly Resource[]): readonly string[] {
  const known = new Set([...resources.map(called), ...BROUGHT_BY_OTHERS]);
  const pods = of(resources, ...WORKLOADS).map(({ spec }) => spec.template);
  const found: string[] = [];
  const expect = (from: Resource, what: string, there: boolean) => {
    if (!there) found.push(`${called(from)} refers to ${what}`);
  };
  const name = (from: Resource, kind: string, name: string | undefined) => {
    if (name !== undefined) expect(from, `${kind}/${name}`, known.has(`${kind}/${name}`));
  };
  const selects = (from: Resource, selector: Tree): readonly Tree[] => {
    const labels: Labels = selector.matchLabels ?? selector;
    const chosen = pods.filter(({ metadata }) => matches(labels, metadata.labels));
    expect(from, `pods with ${JSON.stringify(labels)}`, chosen.length > 0);
    return chosen;
  };
  const port = (from: Resource, templates: readonly Tree[], port: Tree) => {
    if (typeof port === "string") {
      expect(
        from,
        `port ${port}`,
        templates.every((pod) => portsOf(pod).includes(port)),
      );
    }
  };

  for (const workload of of(resources, ...WORKLOADS)) {
    const { template, selector, volumeClaimTemplates = [] } = workload.spec;
    // A Job's is made by the cluster.
    if (selector) {
      expect(workload, "pods that are not its own", matches(selector.matchLabels, template.metadata.labels));
    }
    name(workload, "Service", workload.spec.serviceName);
    name(workload, "ServiceAccount", template.spec.serviceAccountName);
    for (const { labelSelector } of template.spec.topologySpreadConstraints ?? []) {
      expect(
        workload,
        "pods that are not its own",
        matches(labelSelector.matchLabels, template.metadata.labels),
      );
    }
    const volumes: readonly Tree[] = template.spec.volumes ?? [];
    const claims: readonly Tree[] = volumeClaimTemplates.map(({ metadata }: Tree) => metadata);
    for (const { configMap, secret } of volumes) {
      name(workload, "ConfigMap", configMap?.name);
      name(workload, "Secret", secret?.secretName);
      for (const { key } of secret?.items ?? []) secretKey(workload, secret.secretName, key);
    }
    for (const container of template.spec.containers) {
      for (const { configMapRef, secretRef } of container.envFrom ?? []) {
        name(workload, "ConfigMap", configMapRef?.name);
        name(workload, "Secret", secretRef?.name);
      }
      for (const { valueFrom } of container.env ?? []) {
        const { secretKeyRef } = valueFrom ?? {};
        name(workload, "Secret", secretKeyRef?.name);
        if (secretKeyRef) secretKey(workload, secretKeyRef.name, secretKeyRef.key);
      }
      for (const mount of container.volumeMounts ?? []) {
        expect(
          workload,
          `volume ${mount.name}`,
          [...volumes, ...claims].some((volume) => volume.name === mount.name),
        );
      }
      for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
        port(workload, [template], (probe?.httpGet ?? probe?.tcpSocket)?.port);
      }
    }
  }

  for (const service of of(resources, "Service")) {
    const chosen = selects(service, service.spec.selector);
    for (const { targetPort } of service.spec.ports) port(service, chosen, targetPort);
  }
  for (const budget of of(resources, "PodDisruptionBudget")) selects(budget, budget.spec.selector);
  for (const monitor of of(resources, "PodMonitor")) {
    const chosen = selects(monitor, monitor.spec.selector);
    for (const endpoint of monitor.spec.podMetricsEndpoints) port(monitor, chosen, endpoint.port);
  }
  for (const policy of of(resources, "NetworkPolicy")) {
    if (Object.keys(policy.spec.podSelector).length === 0) continue;
    const chosen = selects(policy, policy.spec.podSelector);
    for (const { ports } of policy.spec.ingress ?? []) {
      for (const one of ports ?? []) port(policy, chosen, one.port);
    }
  }
  for (const scaler of of(resources, "ScaledObject", "HorizontalPodAutoscaler")) {
    const { kind = "Deployment", name: target } = scaler.spec.scaleTargetRef;
    name(scaler, kind, target);
  }
  for (const route of of(resources, "HTTPRoute")) {
    for (const parent of route.spec.parentRefs) name(route, "Gateway", parent.name);
    for (const { backendRefs } of route.spec.rules) {
      for (const backend of backendRefs) servicePort(route, backend.name, backend.port);
    }
  }
  for (const ingress of of(resources, "Ingress")) {
    for (const { secretName } of ingress.spec.tls ?? []) name(ingress, "Secret", secretName);
    for (const { http } of ingress.spec.rules) {
      for (const { backend } of http.paths) {
        servicePort(ingress, backend.service.name, backend.service.port.name ?? backend.service.port.number);
      }
    }
  }
  return found;

  /** Of a Secret that is made here the keys are known. */
  function secretKey(from: Resource, secret: string, key: string) {
    const made = of(resources, "Secret").find(({ metadata }) => metadata.name === secret);
    if (made) expect(from, `key ${key} of Secret/${secret}`, key in { ...made.data, ...made.stringData });
  }

  function servicePort(from: Resource, service: string, wanted: string | number) {
    name(from, "Service", service);
    const ports: readonly Tree[] =
      of(resources, "Service").find((one) => one.metadata.name === service)?.spec.ports ?? [];
    expect(
      from,
      `port ${wanted} of Service/${service}`,
      ports.some((one) => one.name === wanted || one.port === wanted),
    );
  }
}

function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function portsOf(template: Tree): readonly string[] {
  return template.spec.containers.flatMap(({ ports = [] }: Tree) => ports.map((port: Tree) => port.name));
}
