import java.io.IOException;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One node of OpenSearch on loopback: its folder, then settings as NAME=VALUE. Ends with an error where it cannot start. */
public class Launch {
    /** The runner, let take any port: by itself it knows none above a range of its own. */
    private static class AnyPort extends OpenSearchRunner {
        AnyPort() {
            maxHttpPort = -1;
        }
    }

    public static void main(String[] arguments) throws Exception {
        OpenSearchRunner runner = new AnyPort();
        runner.onBuild((number, settings) -> {
            settings.put("network.host", "127.0.0.1");
            settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
            for (int i = 1; i < arguments.length; i++) {
                String[] pair = arguments[i].split("=", 2);
                settings.put(pair[0], pair[1]);
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                runner.close();
            } catch (IOException error) {
                error.printStackTrace();
            }
        }));
        runner.build(OpenSearchRunner.newConfigs().basePath(arguments[0]).numOfNode(1).clusterName("heurpipe-test"));
        Thread.currentThread().join();
    }
}
