{{- define "dunlin.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "dunlin.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "dunlin.labels" -}}
{{ include "dunlin.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "dunlin.pod" -}}
metadata:
  labels:
    {{- include "dunlin.labels" . | nindent 4 }}
  {{- if or .Values.podAnnotations .Values.metrics.enabled }}
  annotations:
    {{- if .Values.metrics.enabled }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "9464"
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile:
      type: RuntimeDefault
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: dunlin
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      env:
        - name: Dunlin__Address
          value: "0.0.0.0"
        - name: Dunlin__Port
          value: "5090"
        - name: Dunlin__Data
          value: /var/lib/dunlin
        {{- if .Values.store.redis }}
        - name: Dunlin__Redis
          value: {{ .Values.store.redis | quote }}
        {{- end }}
        {{- if .Values.ingress.enabled }}
        - name: Dunlin__TrustedProxies
          value: {{ .Values.ingress.trustedProxies | quote }}
        {{- end }}
        {{- if .Values.metrics.enabled }}
        - name: Dunlin__Metrics
          value: "true"
        - name: Dunlin__MetricsAddress
          value: "0.0.0.0:9464"
        {{- end }}
        {{- range $name, $value := .Values.settings }}
        - name: {{ $name }}
          value: {{ $value | quote }}
        {{- end }}
        {{- if .Values.store.existingSecret }}
        - name: Dunlin__Store
          valueFrom:
            secretKeyRef:
              name: {{ .Values.store.existingSecret }}
              key: Dunlin__Store
        {{- end }}
        {{- if .Values.tokens.existingSecret }}
        - name: Dunlin__Tokens__SigningKey
          valueFrom:
            secretKeyRef:
              name: {{ .Values.tokens.existingSecret }}
              key: Dunlin__Tokens__SigningKey
        {{- end }}
      ports:
        - name: http
          containerPort: 5090
        {{- if .Values.metrics.enabled }}
        - name: metrics
          containerPort: 9464
        {{- end }}
      # A migration of a large database may take minutes.
      startupProbe:
        httpGet: { path: /healthz/live, port: http }
        periodSeconds: 2
        failureThreshold: 150
      livenessProbe:
        httpGet: { path: /healthz/live, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /healthz/ready, port: http }
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      # The image has no shell. The pod leaves the Service when its deletion begins; the server gets SIGTERM after this pause.
      lifecycle:
        preStop:
          sleep:
            seconds: {{ .Values.preStopSeconds }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: data
          mountPath: /var/lib/dunlin
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: tmp
      emptyDir: {}
    {{- if .Values.store.existingSecret }}
    - name: data
      emptyDir: {}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
