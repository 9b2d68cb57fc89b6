{{- define "headrace.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 45 | trimSuffix "-" -}}
{{- end -}}

{{- /* 45, not 63: suffixes such as "-migrate-tenants" are added. */ -}}
{{- define "headrace.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else if contains (include "headrace.name" .) .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "headrace.name" .) | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "headrace.selector" -}}
app.kubernetes.io/name: {{ include "headrace.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "headrace.labels" -}}
{{ include "headrace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "headrace.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "headrace.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "headrace.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- /* headrace.yaml: the values as they are, and what only the chart knows. */ -}}
{{- define "headrace.settings" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- $_ := set $settings "data" "/var/lib/headrace" -}}
{{- $_ := set $settings "tenants" "/etc/headrace/tenants" -}}
{{- $_ := set $settings.database "url" (printf "file:/etc/headrace/secrets/%s/%s" .Values.database.existingSecret .Values.database.key) -}}
{{- toYaml $settings -}}
{{- end -}}

{{- /* One file per tenant and per overlay. */ -}}
{{- define "headrace.tenants" -}}
{{- range $tenant, $settings := .Values.tenants }}
{{ $tenant }}.yaml: |
  {{- toYaml (merge (dict "tenant" $tenant) $settings) | nindent 2 }}
{{- end }}
{{- range $name, $text := .Values.overlays }}
{{ $name }}: |
  {{- $text | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A reference to something that is not there would only show as a pod that does not start. */ -}}
{{- define "headrace.checkReferences" -}}
{{- if .Values.tenants -}}
{{- range .Values.settings.server.api_keys -}}
{{- if not (hasKey $.Values.tenants .tenant) -}}
{{- fail (printf "the key of %s is for tenant %s, which is not listed under tenants" .client .tenant) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $mounted := append .Values.secrets .Values.database.existingSecret -}}
{{- range $tenant, $settings := .Values.tenants -}}
{{- range $settings.systems -}}
{{- range .overlays -}}
{{- if not (hasKey $.Values.overlays .) -}}
{{- fail (printf "tenant %s refers to %s, which is not listed under overlays" $tenant .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $text := printf "%s\n%s" (toYaml .Values.settings) (toYaml .Values.tenants) -}}
{{- range regexFindAll "file:/etc/headrace/secrets/[^/\\s]+" $text -1 -}}
{{- $secret := base . -}}
{{- if not (has $secret $mounted) -}}
{{- fail (printf "%s/… is referred to, but Secret %s is not listed under secrets" . $secret) -}}
{{- end -}}
{{- end -}}
{{- range regexFindAll "\\benv:[A-Za-z_][A-Za-z0-9_]*" $text -1 -}}
{{- $variable := trimPrefix "env:" . -}}
{{- if not (hasKey $.Values.env $variable) -}}
{{- fail (printf "%s is referred to, but %s is not listed under env" . $variable) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Changes with every change of configuration, so that pods roll. */ -}}
{{- define "headrace.checksum" -}}
{{- printf "%s\n%s\n%s\n%s" (include "headrace.settings" .) (toYaml .Values.tenants) (toYaml .Values.overlays) (toYaml .Values.env) | sha256sum -}}
{{- end -}}

{{- define "headrace.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ .Values.podSecurity.runAsUser }}
runAsGroup: {{ .Values.podSecurity.runAsGroup }}
fsGroup: {{ .Values.podSecurity.fsGroup }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "headrace.containerSecurityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "headrace.env" -}}
- name: HOME
  value: /tmp
{{- range $name, $source := .Values.env }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $source.secret }}
      key: {{ $source.key }}
{{- end }}
{{- end -}}

{{- define "headrace.mounts" -}}
- name: settings
  mountPath: /etc/headrace/headrace.yaml
  subPath: headrace.yaml
  readOnly: true
- name: tenants
  mountPath: /etc/headrace/tenants
  readOnly: true
{{- range uniq (append .Values.secrets .Values.database.existingSecret) }}
- name: {{ printf "secret-%s" (sha256sum . | trunc 12) }}
  mountPath: /etc/headrace/secrets/{{ . }}
  readOnly: true
{{- end }}
- name: data
  mountPath: /var/lib/headrace
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- /* Called with the root and the names of two ConfigMaps, because the migration has its own. */ -}}
{{- define "headrace.volumes" -}}
- name: settings
  configMap:
    name: {{ .settings }}
- name: tenants
  configMap:
    name: {{ .tenants }}
{{- with .root }}
{{- range uniq (append .Values.secrets .Values.database.existingSecret) }}
# Names of volumes are shorter than names of Secrets and know no dots.
- name: {{ printf "secret-%s" (sha256sum . | trunc 12) }}
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
- name: data
{{- if .Values.dataClaim }}
  persistentVolumeClaim:
    claimName: {{ .Values.dataClaim }}
{{- else }}
  emptyDir:
    sizeLimit: {{ .Values.dataSizeLimit }}
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- end }}
{{- end -}}

{{- define "headrace.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: {{ . }}}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /livez, port: {{ . }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: {{ . }}}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{- /* Where pods land: spread over zones and nodes, and the operator's own wishes. */ -}}
{{- define "headrace.placement" -}}
topologySpreadConstraints:
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "headrace.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "headrace.autoscaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "headrace.fullname" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "headrace.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "headrace.fullname" .root }}-{{ .component }}
  minReplicas: {{ .values.autoscaling.minReplicas }}
  maxReplicas: {{ .values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .values.autoscaling.cpuPercent }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 300
{{- end -}}
