"""The OpenAPI description and the page that shows it; the page runs under the same strict CSP as all others."""

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1, as YAML, or as JSON where that is asked for."""

    authentication_classes = []
    permission_classes = []


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI with its scripts and styles as files of ours: nothing inline, nothing from other hosts."""

    authentication_classes = []
    permission_classes = []
    url_name = "api-schema"
    template_name = "api/docs.html"
