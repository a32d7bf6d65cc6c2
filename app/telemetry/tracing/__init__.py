"""OpenTelemetry traces: one span per search, and under it one per supplier that was asked, sent as OTLP/JSON over HTTP.

    search ends ──► sampled? ──► its spans, from the outcomes ──► bounded queue ──► a thread sends batches ──► collector
                    spans.py                                                        export.py

`port.py` is what the web shell sees. The other two are imported only where traces are wanted: OpenTelemetry takes long to
import.
"""
