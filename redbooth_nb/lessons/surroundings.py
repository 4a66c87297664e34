"""Where the notebook is open, when something of the kit cannot work there."""

import os
import sys
from collections.abc import Mapping

FAR = (
    "so your browser cannot reach its sandbox, nor the redirect URI on 127.0.0.1. With REDBOOTH_UNATTENDED=1 the kit "
    "presses Allow and Deny for you; on the real redbooth.com, paste the address you are sent to."
)
NO_SCRIPTS = (
    "This is VS Code. If it may not load widget scripts, messages, flow map and countdown stay empty: "
    "print(panel) says the same, and every button is also a function call."
)


def sentence(environment: Mapping[str, str] = os.environ) -> str:
    """Return one sentence on what cannot work here and what to do instead; "" in JupyterLab and Notebook 7."""
    if "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in environment:
        return f"This is Google Colab: the notebook runs on a machine of Google's, {FAR}"
    if "JUPYTERHUB_SERVICE_PREFIX" in environment:
        return f"This is a JupyterHub: the notebook runs on another machine, {FAR}"
    # a Jupyter server names the notebook to its kernels; VS Code starts kernels without one
    if "VSCODE_PID" in environment and "JPY_SESSION_NAME" not in environment:
        return NO_SCRIPTS
    return ""
