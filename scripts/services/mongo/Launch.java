import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

public class Launch {
    public static void main(String[] a) throws Exception {
        MemoryBackend b = new MemoryBackend();
        b.version(new MongoVersion() {
            public List<Integer> getVersionArray() { return List.of(7, 0, 0); }
            public int getWireVersion() { return 21; }
            public String toVersionString() { return "7.0.0"; }
        });
        MongoServer s = new MongoServer(b);
        s.bind("127.0.0.1", Integer.parseInt(a[0]));
        Runtime.getRuntime().addShutdownHook(new Thread(s::shutdownNow));
        Thread.currentThread().join();
    }
}
